import { backoff } from "./backoff.ts";
import { CallError, type Code } from "./call-error.ts";
import { type Deadline, startDeadline } from "./deadline.ts";
import type { AttemptOutcome } from "./retry-budget.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Throttle } from "./throttle.ts";

/** The reason of calls on a connection that is over for good. */
export const CONNECTION_CLOSED = "CONNECTION_CLOSED";

/** How a call is made. */
export interface CallLimits {
  /** From the call to its last possible answer, repeats included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Whether calling twice is as good as calling once. */
  readonly repeatable: boolean;
}

/** What the calls of a client share. */
export interface Retrying {
  readonly surroundings: Pick<Surroundings, "now" | "after" | "random">;
  readonly throttle: Throttle;
}

/**
 * Makes one call. What fails with UNAVAILABLE is tried again until the deadline, where that is safe, with backoff on top of the time that the
 * server names and within what the throttle allows; what was refused because of a rate limit, after the time that the server names, if that
 * is before the deadline. @throws CallError
 */
export async function callWithRetries<T>(
  { surroundings, throttle }: Retrying,
  { timeoutMs, signal, repeatable }: CallLimits,
  attempt: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  let lastError: unknown;
  const deadline = startDeadline(surroundings, timeoutMs, signal, () => lastError ?? throttle.lastFailure);
  try {
    // Without a turn of the event loop where there is nothing to wait for: calls go out in the order in which they are made.
    const allowed = throttle.allowed("first", deadline.signal);
    if (allowed !== undefined) {
      await allowed;
    }
    for (let failures = 0; ; failures += 1) {
      try {
        return await observe(throttle, attempt(deadline));
      } catch (error) {
        const delayMs = delayAfter(error, backoff(failures, surroundings.random()), repeatable);
        if (delayMs === undefined || (isRateLimited(error) && surroundings.now() + delayMs >= deadline.at)) {
          throw error;
        }
        lastError = error;
        await pause(surroundings, delayMs, deadline.signal);
        if (!isRateLimited(error)) {
          await throttle.allowed("repeat", deadline.signal);
        }
      }
    }
  } finally {
    deadline.release();
  }
}

/** What says that a service is slow, down or broken. */
const FAILURES: ReadonlySet<Code> = new Set<Code>(["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN"]);
/** What is no word of the service: the caller's own wish, or the gateway's refusal. */
const SILENT: ReadonlySet<Code> = new Set<Code>(["CANCELLED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED", "UNIMPLEMENTED"]);

async function observe<T>(throttle: Throttle, attempt: Promise<T>): Promise<T> {
  try {
    const answer = await attempt;
    throttle.settled("answered");
    return answer;
  } catch (error) {
    const outcome = outcomeOf(error);
    throttle.settled(outcome, outcome === "failed" ? error : undefined);
    throw error;
  }
}

function outcomeOf(error: unknown): AttemptOutcome {
  if (!(error instanceof CallError) || SILENT.has(error.code) || error.reason === CONNECTION_CLOSED) {
    return "none";
  }
  return FAILURES.has(error.code) ? "failed" : "answered";
}

/** How long to wait before the next attempt; undefined when there is to be none. The backoff spreads those that are told the same time. */
function delayAfter(error: unknown, backoffMs: number, repeatable: boolean): number | undefined {
  // What a rate limit refused did nothing, so any call may be made again.
  return isRateLimited(error) || (repeatable && isUnavailable(error)) ? (error.retryAfterMs ?? 0) + backoffMs : undefined;
}

function isRateLimited(error: unknown): error is CallError {
  return error instanceof CallError && error.code === "RESOURCE_EXHAUSTED" && error.reason === "RATE_LIMITED";
}

function isUnavailable(error: unknown): error is CallError {
  // A connection that is over for good stays so.
  return error instanceof CallError && error.code === "UNAVAILABLE" && error.reason !== CONNECTION_CLOSED;
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
