import { backoff } from "./backoff.ts";
import { CallError } from "./call-error.ts";
import { type Deadline, startDeadline } from "./deadline.ts";
import type { Surroundings } from "./surroundings.ts";

/** How a call is made. */
export interface CallLimits {
  /** From the call to its last possible answer, repeats included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Whether calling twice is as good as calling once. */
  readonly repeatable: boolean;
}

/**
 * Makes one call. What fails with UNAVAILABLE is tried again with backoff until the deadline, where that is safe.
 * @throws CallError
 */
export async function callWithRetries<T>(
  surroundings: Pick<Surroundings, "now" | "after" | "random">,
  { timeoutMs, signal, repeatable }: CallLimits,
  attempt: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  let lastError: unknown;
  const deadline = startDeadline(surroundings, timeoutMs, signal, () => lastError);
  try {
    for (let failures = 0; ; failures += 1) {
      try {
        return await attempt(deadline);
      } catch (error) {
        if (!repeatable || !isUnavailable(error)) {
          throw error;
        }
        lastError = error;
        await pause(surroundings, error.retryAfterMs ?? backoff(failures, surroundings.random()), deadline.signal);
      }
    }
  } finally {
    deadline.release();
  }
}

function isUnavailable(error: unknown): error is CallError {
  // A connection that is over for good stays so.
  return error instanceof CallError && error.code === "UNAVAILABLE" && error.reason !== "CONNECTION_CLOSED";
}

function pause({ after }: Pick<Surroundings, "after">, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = after(ms, () => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
    const abort = (): void => {
      stop();
      reject(signal.reason as CallError);
    };
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) {
      abort();
    }
  });
}
