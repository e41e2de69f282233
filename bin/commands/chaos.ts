import { randomInt } from "node:crypto";
import type { Run } from "../command.ts";
import { stopSignal } from "../signals.ts";

/** Disturbs a system by a schedule while people use it, and says whether anything was lost. Exit code 0: nothing was. */
export const chaos: Run = async (context) => {
  const stop = stopSignal();
  const { planOf } = await import("../chaos/plan.ts");
  const { runChaos } = await import("../chaos/run-chaos.ts");

  const plan = planOf(context.flags, randomInt(1_000_000));
  // With JSON on standard output all that is for people goes beside it.
  const print = plan.json ? context.warn : context.print;
  const outcome = await runChaos(plan, { ...context, print }, stop).catch((error: unknown) => {
    throw stop.aborted ? new Error("stopped before the end") : error;
  });
  if (plan.json) {
    context.print(JSON.stringify(outcome));
  }
  print(outcome.wrong.length === 0 ? "nothing was lost, duplicated, logged out or displaced" : outcome.wrong.join("\n"));
  return outcome.wrong.length === 0 ? 0 : 1;
};
