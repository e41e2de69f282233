/** So many rejections within a month suspend their reporter for a month. */
export const REJECTIONS = 10;
/** A month: 30 days in milliseconds. */
export const MONTH_MS = 2_592_000_000;
/**
 * So many of the newest rejections decide. Where the last month holds ten, the newest ten do; where it holds fewer, at most nine
 * of them can be the tenth, and the oldest of those looks back on nine others.
 */
export const DECISIVE = 18;

/**
 * Until when somebody may not report, if at all: a month from the last rejection that was at least the tenth within a month.
 * `rejectedAt` holds the newest rejections, newest first; times in milliseconds.
 */
export function suspendedUntil(rejectedAt: readonly number[], now: number): number | undefined {
  const last = rejectedAt.find((at, index) => {
    const first = rejectedAt[index + REJECTIONS - 1];
    return first !== undefined && at - first < MONTH_MS;
  });
  return last !== undefined && now - last < MONTH_MS ? last + MONTH_MS : undefined;
}
