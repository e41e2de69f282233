import { setTimeout as sleep } from "node:timers/promises";
import { durationOf, laneOf } from "./fault.ts";
import type { Inject, Injection, Skipped } from "./injection.ts";
import type { ScheduledFault } from "./schedule.ts";
import { settleAll } from "./settle-all.ts";

/** What became of a scheduled fault: it was skipped, or it hit somebody, who was as before so long after its end, or never within what is waited. */
export type Outcome =
  | { readonly skipped: string }
  | { readonly victim: string; readonly readyAfterMs: number }
  | { readonly victim: string; readonly notReadyAfterMs: number };

/** A fault that is past. */
export interface PastFault extends ScheduledFault {
  /** When it really was, in milliseconds from the beginning. */
  readonly injectedAtMs: number;
  readonly outcome: Outcome;
}

/** What the faults of a schedule are run with. */
export interface ScheduleRun {
  readonly inject: Inject;
  /** Told of each fault when it is past. */
  readonly report: (past: PastFault) => void;
  readonly stop: AbortSignal;
  /** From the recovery of a victim to the next fault on its kind at the least, in milliseconds; default 2 s: time for the others to find it again. */
  readonly restMs?: number;
}

/** A database reads its journal and catches up; a machine may be busy. */
const READY_WITHIN_MS = 120_000;
const ASK_EVERY_MS = 50;
const LAST_TRIES = 20;
const REST_MS = 2_000;

/** Injects the faults of a schedule at their times, but none before the last victim of its kind is as it was before. Resolves to all of them, in the order in which they were past. */
export async function runSchedule(schedule: readonly ScheduledFault[], run: ScheduleRun): Promise<readonly PastFault[]> {
  const startedAt = performance.now();
  const elapsed = (): number => Math.round(performance.now() - startedAt);
  const past: PastFault[] = [];
  const lanes = new Set(schedule.map(({ target }) => laneOf(target)));
  const runLane = async (lane: string): Promise<void> => {
    let notBefore = 0;
    for (const scheduled of schedule.filter(({ target }) => laneOf(target) === lane)) {
      await pause(Math.max(scheduled.atMs, notBefore) - elapsed(), run.stop);
      const injectedAtMs = elapsed();
      const one = { ...scheduled, injectedAtMs, outcome: await runFault(scheduled, run) };
      past.push(one);
      run.report(one);
      notBefore = elapsed() + (run.restMs ?? REST_MS);
    }
  };
  // Also when it is stopped, every fault that is under way is ended first.
  await settleAll([...lanes].map(runLane));
  return past;
}

async function runFault(scheduled: ScheduledFault, { inject, stop }: ScheduleRun): Promise<Outcome> {
  let injected: Injection | Skipped;
  try {
    injected = await inject(scheduled);
  } catch (error) {
    stop.throwIfAborted();
    return { skipped: error instanceof Error ? error.message : String(error) };
  }
  if ("skipped" in injected) {
    return undo(injected, stop);
  }
  try {
    await pause(durationOf(scheduled.fault), stop);
  } catch (error) {
    await healAtLast(injected);
    throw error;
  }
  return recovery(injected, stop);
}

async function undo({ skipped, halfDone }: Skipped, stop: AbortSignal): Promise<Outcome> {
  const outcome = halfDone === undefined ? { skipped } : await recovery(halfDone, stop);
  return "notReadyAfterMs" in outcome ? outcome : { skipped };
}

async function recovery(injection: Injection, stop: AbortSignal): Promise<Outcome> {
  const { victim } = injection;
  const endedAt = performance.now();
  let isHealed = false;
  for (;;) {
    isHealed ||= await heal(injection);
    const isReady = isHealed && (await injection.isOver());
    const waitedMs = Math.round(performance.now() - endedAt);
    if (isReady || waitedMs > READY_WITHIN_MS) {
      return isReady ? { victim, readyAfterMs: waitedMs } : { victim, notReadyAfterMs: waitedMs };
    }
    try {
      await pause(ASK_EVERY_MS, stop);
    } catch (error) {
      await (isHealed || healAtLast(injection));
      throw error;
    }
  }
}

/** Ends a fault of a run that is stopped, or gives it up after a few tries. */
async function healAtLast(injection: Injection): Promise<void> {
  for (let tries = 1; !(await heal(injection)) && tries < LAST_TRIES; tries += 1) {
    await sleep(ASK_EVERY_MS);
  }
}

async function heal(injection: Injection): Promise<boolean> {
  return injection.heal().then(
    () => true,
    () => false,
  );
}

async function pause(durationMs: number, stop: AbortSignal): Promise<void> {
  await sleep(Math.max(0, durationMs), undefined, { signal: stop });
}
