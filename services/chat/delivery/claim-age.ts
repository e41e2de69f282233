/** A claim without a body that is older than this was never answered with OK, and may be given up. */
export const UNANSWERED_MS = 600_000;

/**
 * OK that rests on an older claim than this is answered only after a write that confirms the claim. No call takes that long, so a paused
 * process pays for it, and a repeat. The clocks of copies and database may differ by what is left to `UNANSWERED_MS`.
 */
export const CONFIRMED_AFTER_MS = 300_000;
