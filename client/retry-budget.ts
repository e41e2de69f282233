/** A call's first attempt; one more after one that failed; one more in place of one that was lost with its socket. */
export type AttemptKind = "first" | "repeat" | "resend";

/**
 * What a client may spend on repeating calls, so that a slow or dead service never gets much more than it was asked for: retry throttling
 * (https://github.com/grpc/proposal/blob/master/A6-client-retries.md, "handling overload" in Google's SRE book). Counted in fifths of a repeat:
 * each first attempt pays one, each repeat costs five, so all attempts together are at most 1.2 times the calls, and a reserve.
 */
export interface RetryBudget {
  /** Below 0 after repeats on credit: see `paceMs`. */
  readonly fifths: number;
  /** Outcomes in a row since the last one of the other kind: above 0 successes, below 0 failures. */
  readonly row: number;
  /** Attempts without an outcome. */
  readonly underWay: number;
  /** When the last outcome came, or the first of those under way began, in milliseconds since the epoch. */
  readonly heardAt: number;
}

const COST = 5;
/** Repeats that a client may make before its calls have paid for any; more are never saved up. */
export const RESERVE = 10;
/** So many failures in a row say that the service is down. */
const DOWN_AFTER = 10;
/** And so does silence for so long while that many attempts wait, or else what a hung service has been sent would all have to be sent again. */
const SILENCE_MS = 500;
const WAITING_IN_SILENCE = 10;
const SLOWEST_MS = 1_000;
const FASTEST_MS = 50;

/** The budget of a client that has made no call. */
export const fullBudget: RetryBudget = { fifths: RESERVE * COST, row: 0, underWay: 0, heardAt: 0 };

/** Whether the service seems to be down: nobody asks it then, but for one now and then who finds out. */
export function seemsDown({ row, underWay, heardAt }: RetryBudget, now: number): boolean {
  return row <= -DOWN_AFTER || (underWay >= WAITING_IN_SILENCE && now - heardAt >= SILENCE_MS);
}

/** Whether an attempt may be made without waiting for its turn: a repeat when it is paid for, and neither while the service seems to be down. */
export function isFree(budget: RetryBudget, kind: AttemptKind, now: number): boolean {
  return !seemsDown(budget, now) && (kind === "first" || budget.fifths >= COST);
}

/** An attempt is made. */
export function attempted({ fifths, row, underWay, heardAt }: RetryBudget, kind: AttemptKind, now: number): RetryBudget {
  return {
    fifths: kind === "first" ? Math.min(RESERVE * COST, fifths + 1) : fifths - COST,
    row,
    underWay: underWay + (kind === "resend" ? 0 : 1),
    heardAt: underWay === 0 ? now : heardAt,
  };
}

/** How an attempt ended; "none": in a way that says nothing of the service. */
export type AttemptOutcome = "answered" | "failed" | "none";

/** An attempt has ended. */
export function settled({ fifths, row, underWay, heardAt }: RetryBudget, outcome: AttemptOutcome, now: number): RetryBudget {
  const left = { fifths, underWay: Math.max(0, underWay - 1) };
  switch (outcome) {
    case "answered":
      return { ...left, row: Math.max(0, row) + 1, heardAt: now };
    case "failed":
      return { ...left, row: Math.min(0, row) - 1, heardAt: now };
    case "none":
      return { ...left, row, heardAt };
  }
}

/**
 * How long until one of the calls that wait may go all the same, on credit, in milliseconds: that finds out whether the service is well
 * again. While attempts are answered, half as long after each, so that those who wait are let go gradually.
 */
export function paceMs({ row }: Pick<RetryBudget, "row">): number {
  return Math.max(FASTEST_MS, SLOWEST_MS / 2 ** Math.max(0, row));
}
