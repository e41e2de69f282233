import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Campaign, type Finding, planOf, runCampaign, shrink, type Tally } from "./campaign.ts";
import { FLAW_NAMES, FLAWS, type FlawName, isFlawName } from "./flaws.ts";
import { runPlan } from "./history.ts";
import { START_MS } from "./timeline.ts";

/** What a run of the simulation is asked for. */
interface Options {
  readonly seed: number;
  readonly histories: number;
  readonly workers: number;
  readonly flaw: FlawName | undefined;
  readonly isTraced: boolean;
}

/** A deliberate bug has to be found within so many histories. */
const FLAW_BUDGET = 100_000;
const MAX_FINDINGS = 10;
/** Histories between two lines about how far it has come. */
const STRETCH = 20_000;

/** Lets histories happen and prints what came of them. Answers the exit code. */
async function main(options: Options): Promise<number> {
  const startedAt = performance.now();
  const tallies = await Promise.all(share(options).map((campaign) => runElsewhere(campaign, options.workers)));

  const sum = (of: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + of(tally), 0);
  const findings = tallies.flatMap((tally) => tally.findings);
  const histories = sum((tally) => tally.histories);
  const seconds = (performance.now() - startedAt) / 1000;
  const each = Math.round(sum((tally) => tally.steps) / histories);
  console.log(
    `${histories} histories from seed ${options.seed} in ${seconds.toFixed(1)} s: ${Math.round(histories / seconds)}/s, ${each} events each`,
  );
  for (const finding of findings) {
    report(finding, options);
  }
  console.log(findings.length === 0 ? "no promise was broken" : `${findings.length} histories broke a promise`);
  return findings.length === 0 ? 0 : 1;
}

/** Each worker takes its share of the seeds. */
function share({ seed, histories, workers, flaw }: Options): readonly Campaign[] {
  const each = Math.ceil(histories / workers);
  return Array.from({ length: workers }, (_, index) => ({
    seed: seed + index * each,
    histories: Math.max(0, Math.min(each, histories - index * each)),
    flaw,
  }));
}

async function runElsewhere(campaign: Campaign, workers: number): Promise<Tally> {
  if (workers === 1) {
    return runInStretches(campaign);
  }
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: campaign });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

function runInStretches({ seed, histories, flaw }: Campaign): Tally {
  let total: Tally = { histories: 0, steps: 0, findings: [] };
  const startedAt = performance.now();
  while (total.histories < histories && total.findings.length < MAX_FINDINGS) {
    const rest = { seed: seed + total.histories, histories: Math.min(STRETCH, histories - total.histories), flaw };
    const tally = runCampaign(rest, MAX_FINDINGS - total.findings.length);
    total = {
      histories: total.histories + tally.histories,
      steps: total.steps + tally.steps,
      findings: [...total.findings, ...tally.findings.map((one) => ({ ...one, after: one.after + total.histories }))],
    };
    if (histories > STRETCH) {
      const rate = (total.histories / (performance.now() - startedAt)) * 1000;
      console.log(`${total.histories} histories, ${Math.round(rate)}/s, ${total.findings.length} broke a promise`);
    }
  }
  return total;
}

/** The seed, how to see it again, and the trace of the history with all left out that is not needed to break the promise. */
function report({ seed, promise, text }: Finding, { flaw, isTraced }: Options): void {
  const mutation = flaw === undefined ? "" : ` --mutation=${flaw}`;
  console.log(`\nseed ${seed}: ${text}\n  again: npm run simulate -- --seed=${seed} --histories=1 --trace${mutation}`);
  const plan = isTraced ? planOf(seed) : shrink(planOf(seed), promise, flaw);
  const { stimuli, ...world } = plan;
  console.log(`  ${JSON.stringify(world)}`);
  console.log(
    `  ${isTraced ? "all" : "the"} ${stimuli.length} stimuli${isTraced ? "" : " that it takes"}: ${stimuli.map(({ kind, at }) => `${kind} at ${at}`).join(", ")}`,
  );
  runPlan(plan, flaw, (at, line) => console.log(`  ${String(at - START_MS).padStart(7)} ms  ${line}`));
}

/** Runs with every deliberate bug until it is found. Answers the exit code. */
function findFlaws(seed: number): number {
  let missed = 0;
  for (const flaw of FLAW_NAMES) {
    const startedAt = performance.now();
    const [finding] = runCampaign({ seed, histories: FLAW_BUDGET, flaw }, 1).findings;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    missed += finding === undefined ? 1 : 0;
    const found =
      finding === undefined ? `not found in ${FLAW_BUDGET}` : `${finding.promise} after ${finding.after} (seed ${finding.seed})`;
    console.log(`${FLAWS[flaw].core.padEnd(9)}${flaw.padEnd(27)}${found}, ${seconds} s`);
  }
  return missed;
}

function readOptions(): Options & { readonly isAboutFlaws: boolean } {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      histories: { type: "string", default: "10000" },
      workers: { type: "string", default: "1" },
      mutation: { type: "string" },
      mutations: { type: "boolean", default: false },
      trace: { type: "boolean", default: false },
    },
  });
  const { mutation } = values;
  if (mutation !== undefined && !isFlawName(mutation)) {
    throw new Error(`no such mutation; there are: ${FLAW_NAMES.join(", ")}`);
  }
  return {
    seed: Number(values.seed),
    histories: Number(values.histories),
    workers: Number(values.workers),
    flaw: mutation,
    isTraced: values.trace,
    isAboutFlaws: values.mutations,
  };
}

if (isMainThread) {
  const options = readOptions();
  process.exitCode = options.isAboutFlaws ? findFlaws(options.seed) : await main(options);
} else {
  parentPort?.postMessage(runCampaign(workerData as Campaign, MAX_FINDINGS), []);
}
