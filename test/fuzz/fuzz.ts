import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { MongoClient } from "mongodb";
import { connectAndConfirm, logIn } from "../support/people.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { runCampaign, type Tally } from "./campaign.ts";

/** What a run of the fuzzer is asked for. */
interface Options {
  readonly frames: number;
  readonly seed: number;
  readonly seconds: number;
}

/** Many, because a token that no key made is judged only after a look at the keys directory, of which there are five a second. */
const WORKERS = 250;
const MIB = 1024 * 1024;
/** What a process may have grown by after a warm-up of a tenth of the frames. */
const MAX_GROWTH_MIB = 256;
const ROLES = ["gateway", "account", "chat"] as const;

/** Fuzzes the first frame and the frames after the exchange of a stack of real processes, and prints what came of it. Answers the exit code. */
async function main(options: Options): Promise<number> {
  await using stack = await startStack({ env: { SALLYPORT_LIMITS: "off" }, embeddedDatabase: true });
  const pids = await Promise.all(ROLES.map((role) => stack.pidOf(role)));
  const people = await Promise.all(Array.from({ length: WORKERS }, () => logIn(stack.httpUrl)));
  const tokens = people.map((person) => person.tokens.chat.refreshToken);
  const campaign = { httpUrl: stack.httpUrl, tokens, until: Date.now() + options.seconds * 1000 };
  const startedAt = Date.now();

  const warmUp = await runCampaign({ ...campaign, seed: options.seed, framesOfEach: options.frames / 20 });
  const before = await Promise.all(pids.map(residentMib));
  const rest = await runCampaign({ ...campaign, seed: options.seed + WORKERS, framesOfEach: (options.frames * 9) / 20 });
  const after = await Promise.all(pids.map(residentMib));

  const findings = [
    ...[...warmUp.surprises, ...rest.surprises].slice(0, 20),
    ...(await findDead(stack, pids)),
    ...(await findLockedOut(stack, tokens)),
    ...(await findRevoked(stack)),
    ...ROLES.filter((_, index) => (after[index] ?? 0) - (before[index] ?? 0) > MAX_GROWTH_MIB).map((role) => `${role} grew without bound`),
  ];
  print(options, [warmUp, rest], Date.now() - startedAt);
  for (const [index, role] of ROLES.entries()) {
    console.log(`${role}: ${before[index]} MiB resident after a tenth, ${after[index]} MiB at the end`);
  }
  console.log(findings.length === 0 ? "no crash, no revocation, nobody locked out" : findings.join("\n"));
  return findings.length === 0 ? 0 : 1;
}

function print({ seed }: Options, tallies: readonly Tally[], elapsedMs: number): void {
  const sum = (of: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + of(tally), 0);
  const codes = [...new Set(tallies.flatMap(({ closes }) => [...closes.keys()]))].sort((a, b) => a - b);
  console.log(`seed ${seed}, ${Math.round(elapsedMs / 1000)} s`);
  console.log(`first frames: ${sum(({ firstFrames }) => firstFrames)}`);
  console.log(`frames after ${sum(({ exchanges }) => exchanges)} exchanges: ${sum(({ laterFrames }) => laterFrames)}`);
  console.log(`closed with: ${codes.map((code) => `${code} × ${sum(({ closes }) => closes.get(code) ?? 0)}`).join(", ")}`);
}

async function findDead(stack: Stack, pids: readonly number[]): Promise<readonly string[]> {
  const now = await Promise.all(ROLES.map((role) => stack.pidOf(role).catch(() => undefined)));
  return ROLES.filter((_, index) => now[index] !== pids[index]).map((role) => `${role} died`);
}

/** Every token that was held at the end is still good. */
async function findLockedOut({ httpUrl }: Stack, tokens: readonly Buffer[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [worker, token] of tokens.entries()) {
    try {
      const { socket } = await connectAndConfirm(httpUrl, "chat", token);
      socket.cut();
    } catch (error) {
      found.push(`worker ${worker} is locked out: ${error instanceof Error ? error.message : "unknown"}`);
    }
  }
  return found;
}

async function findRevoked({ mongodbUri }: Stack): Promise<readonly string[]> {
  await using client = await new MongoClient(mongodbUri).connect();
  const revoked = await client
    .db("sallyport_account")
    .collection("sessions")
    .countDocuments({ revokedAt: { $exists: true } });
  return revoked === 0 ? [] : [`${revoked} sessions were revoked`];
}

/** Linux: the resident set of a process. */
async function residentMib(pid: number): Promise<number> {
  const [, kib = "0"] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round((Number(kib) * 1024) / MIB);
}

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    seconds: { type: "string", default: "1800" },
  },
});
process.exitCode = await main({ frames: Number(values.frames), seed: Number(values.seed), seconds: Number(values.seconds) });
