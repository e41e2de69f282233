/** A claim without a body that is older than this, by the clock of the database, may be given up: whoever would still answer it with OK confirms it before. */
export const UNANSWERED_MS = 600_000;

/**
 * OK that rests on an older claim than this, by the clock of the copy when the body is in, is answered only after a write that confirms the
 * claim: after a repeat of an old message, and by a process that was paused. The clock of a copy may be behind that of the database by what
 * is left to `UNANSWERED_MS`; when it is ahead it only confirms more.
 */
export const CONFIRMED_AFTER_MS = 300_000;
