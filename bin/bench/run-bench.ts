import { setTimeout as sleep } from "node:timers/promises";
import type { Env } from "../../platform/env.ts";
import { checkLedger } from "../chaos/check-ledger.ts";
import { Fleet } from "./fleet.ts";
import type { BenchPlan } from "./plan.ts";
import type { Bench, Round, Scenario } from "./scenario.ts";
import type { BenchStack } from "./stack.ts";
import { EchoServer } from "./worker.ts";

/** The rounds of a scenario, and what went against the promises meanwhile. */
export interface ScenarioRun {
  readonly scenario: Scenario;
  readonly rounds: readonly Round[];
  readonly wrong: readonly string[];
}

/** What a run is given by whoever starts it. */
export interface BenchSurroundings {
  readonly env: Env;
  readonly entry: string;
  readonly warn: (line: string) => void;
  /** Hears of each scenario as it is done. */
  readonly done: (run: ScenarioRun) => void;
}

const QUIET_WITHIN_MS = 20_000;
const LOOK_MS = 50;

/** Runs the scenarios of a plan, one after the other. */
export async function runBench(plan: BenchPlan, surroundings: BenchSurroundings, stop: AbortSignal): Promise<readonly ScenarioRun[]> {
  const { env, entry, warn, done } = surroundings;
  using echo = await EchoServer.start();
  await using fleet = new Fleet({ entry, env, nodeFlags: plan.nodeFlags, warn, stop });
  const bench: Bench = { fleet, echo, times: plan.times };
  const runs: ScenarioRun[] = [];
  for (const scenario of plan.scenarios) {
    const run = await runScenario(scenario, bench, Math.min(plan.rounds, scenario.mostRounds ?? plan.rounds), stop);
    runs.push(run);
    done(run);
  }
  return runs;
}

/** Floor and subject in turns: what the machine does meanwhile hits both. */
async function runScenario(scenario: Scenario, bench: Bench, rounds: number, stop: AbortSignal): Promise<ScenarioRun> {
  const { stack } = await bench.fleet.at(scenario.stack);
  const before = await look(stack, stop);
  const all: Round[] = [];
  const wrong: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    stop.throwIfAborted();
    const floor = await scenario.floor(bench);
    const subject = await scenario.subject(bench, floor);
    wrong.push(...floor.wrong, ...subject.wrong, ...(await wrongInDatabase(stack, before.waiting, stop)));
    all.push({ floor, subject });
  }
  return { scenario, rounds: all, wrong };
}

/** No more may wait than did before, no body may be left, the ledger must be whole: as soon as the last acknowledgements are written down. */
async function wrongInDatabase(stack: BenchStack, before: number, stop: AbortSignal): Promise<readonly string[]> {
  const until = Date.now() + QUIET_WITHIN_MS;
  for (;;) {
    const { waiting, wrong } = await look(stack, stop);
    if ((waiting === before && wrong.length === 0) || Date.now() > until) {
      return waiting === before ? wrong : [`${waiting - before} messages or bodies are left in the database`, ...wrong];
    }
    await sleep(LOOK_MS);
  }
}

async function look(
  { mongodbUri }: BenchStack,
  stop: AbortSignal,
): Promise<{ readonly waiting: number; readonly wrong: readonly string[] }> {
  const { report, wrong } = await checkLedger(mongodbUri, 0, stop);
  return { waiting: report.counts.pending + report.bodies, wrong };
}
