import type { AccountContext } from "./context.ts";

const SWEEP_EVERY_MS = 600_000;
/** Younger grants are left alone: their gateway may be about to take its first lease. */
const SPARED_MS = 3_600_000;

/** Now and then deletes the records of access tokens whose gateway is gone for good. */
export function sweepGrants({ grants, events, clock }: AccountContext): AsyncDisposable {
  let sweep: Promise<void> = Promise.resolve();
  const timer = setInterval(
    () => {
      sweep = sweep.then(() => grants.sweep(new Date(clock() - SPARED_MS))).catch((error: unknown) => events.sweepFailed(error));
    },
    SWEEP_EVERY_MS * (0.75 + Math.random() / 2),
  );
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await sweep;
    },
  };
}
