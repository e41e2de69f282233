import { CallError } from "./call-error.ts";
import type { Surroundings } from "./surroundings.ts";

/** The end of a call that takes too long or that the app no longer wants. */
export interface Deadline {
  /** In milliseconds since the epoch. */
  readonly at: number;
  /** Aborts with a CallError: DEADLINE_EXCEEDED, or CANCELLED. */
  readonly signal: AbortSignal;
  /** The call is over: no timer and no listener is left. */
  release(): void;
}

/** Starts the time of a call. `lastError` is what the last attempt failed with, to go with a DEADLINE_EXCEEDED. */
export function startDeadline(
  { now, after }: Pick<Surroundings, "now" | "after">,
  timeoutMs: number,
  wish: AbortSignal | undefined,
  lastError: () => unknown,
): Deadline {
  const controller = new AbortController();
  const cancel = (): void =>
    controller.abort(new CallError("CANCELLED", "the call was cancelled", { reason: "CANCELLED", cause: wish?.reason }));
  const stopTimer = after(timeoutMs, () => {
    controller.abort(new CallError("DEADLINE_EXCEEDED", "the deadline has passed", { reason: "DEADLINE_EXCEEDED", cause: lastError() }));
  });
  wish?.addEventListener("abort", cancel, { once: true });
  if (wish?.aborted) {
    cancel();
  }
  return {
    at: now() + timeoutMs,
    signal: controller.signal,
    release: () => {
      stopTimer();
      wish?.removeEventListener("abort", cancel);
    },
  };
}
