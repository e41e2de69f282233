import { setTimeout as sleep } from "node:timers/promises";
import type { SallyportError } from "../platform/errors.ts";

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 1_000;

/**
 * Tries until it works, with growing pauses, as long as `wanted` says so and the error is one that may pass.
 * @throws the error that ended it, or the last one when it was no longer wanted.
 */
export async function retry<T>(attempt: () => Promise<T>, wanted: () => boolean): Promise<T> {
  for (let delay = FIRST_DELAY_MS; ; delay = Math.min(delay * 2, MAX_DELAY_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!wanted() || !mayPass(error as SallyportError)) {
        throw error;
      }
      await sleep(delay * (0.5 + Math.random() / 2), undefined, { ref: false });
      if (!wanted()) {
        throw error;
      }
    }
  }
}

/** Whether a failed call may work when it is made again. */
function mayPass({ status }: SallyportError): boolean {
  return status === "UNAVAILABLE" || status === "DEADLINE_EXCEEDED" || status === "CANCELLED" || status === "INTERNAL";
}
