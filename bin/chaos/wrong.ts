import type { PastFault } from "./run-schedule.ts";
import { faultsOf, type Verdict } from "./verdict.ts";

/** What is not as it must be after a run, a line each: what its people saw, whom a fault left behind, and a run that shows nothing because nothing happened in it. */
export function wrongOf(faults: readonly PastFault[], verdict: Verdict): readonly string[] {
  return [...faultsOf(verdict), ...neverReady(faults), ...shownNothing(faults, verdict)];
}

function neverReady(faults: readonly PastFault[]): readonly string[] {
  return faults.flatMap(({ fault, outcome }) =>
    "notReadyAfterMs" in outcome ? [`not ready again ${outcome.notReadyAfterMs} ms after ${fault.kind}: ${outcome.victim}`] : [],
  );
}

function shownNothing(faults: readonly PastFault[], { accepted }: Verdict): readonly string[] {
  const done = faults.filter(({ outcome }) => !("skipped" in outcome));
  return [
    ...(done.length === 0 ? [`nothing was shown: none of ${faults.length} faults was done`] : []),
    ...(accepted === 0 ? ["nothing was shown: no message was accepted"] : []),
  ];
}
