import type { LedgerReport } from "../../services/chat/ledger/report.ts";
import type { Surroundings } from "../command.ts";
import { aborted } from "../process/aborted.ts";
import { checkLedger } from "./check-ledger.ts";
import type { ChaosPlan } from "./plan.ts";
import { headline, lineOfFault, linesOfVerdict } from "./printing.ts";
import { type PastFault, runSchedule } from "./run-schedule.ts";
import { openScene } from "./scene.ts";
import { makeSchedule } from "./schedule.ts";
import { ChaosTraffic } from "./traffic.ts";
import type { Verdict } from "./verdict.ts";
import { wrongOf } from "./wrong.ts";

/** What came of a run. */
export interface ChaosOutcome {
  readonly seed: number;
  readonly faults: readonly PastFault[];
  readonly verdict: Verdict;
  /** What the ledger of the database says, when the system was the run's own. */
  readonly ledger: LedgerReport | undefined;
  /** What is not as it must be, a line each; none when all is well. */
  readonly wrong: readonly string[];
}

/**
 * Has people write to each other, does the faults of the schedule meanwhile, and judges what the people saw when everything is whole again. Prints as it goes.
 * @throws Error when it is stopped, or the system is not ready in time
 */
export async function runChaos(plan: ChaosPlan, surroundings: Surroundings, stop: AbortSignal): Promise<ChaosOutcome> {
  const { seed, people, settleMs, thinkMs } = plan;
  const { print } = surroundings;
  print(headline(plan));
  await using scene = await openScene(plan, surroundings, stop);
  await scene.ready();
  await using traffic = await unlessStopped(stop, ChaosTraffic.start({ urls: scene.urls, people, seed, thinkMs }));

  const schedule = makeSchedule({ ...plan, targets: scene.targets });
  const faults = await runSchedule(schedule, { inject: scene.inject, report: (past) => print(lineOfFault(past)), stop });
  await scene.ready();
  await unlessStopped(stop, traffic.stop());
  const verdict = await unlessStopped(stop, traffic.settle(settleMs));
  const ledger = scene.mongodbUri === undefined ? undefined : await checkLedger(scene.mongodbUri, verdict.accepted, stop);
  print(linesOfVerdict(verdict, ledger?.report).join("\n"));
  return { seed, faults, verdict, ledger: ledger?.report, wrong: [...wrongOf(faults, verdict), ...(ledger?.wrong ?? [])] };
}

function unlessStopped<T>(stop: AbortSignal, work: Promise<T>): Promise<T> {
  return Promise.race([work, aborted(stop).then(() => Promise.reject(new Error("stopped")))]);
}
