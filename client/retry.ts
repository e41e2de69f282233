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
 * Makes one call. What fails with UNAVAILABLE is tried again with backoff until the deadline, where that is safe; what was refused because
 * of a rate limit, after the time that the server names, if that is before the deadline. @throws CallError
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
        const delayMs = delayAfter(error, backoff(failures, surroundings.random()), repeatable);
        if (delayMs === undefined || (isRateLimited(error) && surroundings.now() + delayMs >= deadline.at)) {
          throw error;
        }
        lastError = error;
        await pause(surroundings, delayMs, deadline.signal);
      }
    }
  } finally {
    deadline.release();
  }
}

/** How long to wait before the next attempt; undefined when there is to be none. */
function delayAfter(error: unknown, backoffMs: number, repeatable: boolean): number | undefined {
  if (isRateLimited(error)) {
    // It did nothing, so any call may be made again. The backoff spreads those that wait for the same few tokens.
    return (error.retryAfterMs ?? 0) + backoffMs;
  }
  return repeatable && isUnavailable(error) ? (error.retryAfterMs ?? backoffMs) : undefined;
}

function isRateLimited(error: unknown): error is CallError {
  return error instanceof CallError && error.code === "RESOURCE_EXHAUSTED" && error.reason === "RATE_LIMITED";
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
