/** A process that ran this long counts as healthy: its next failure is a first one again. */
export const HEALTHY_AFTER_MS = 30_000;

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 30_000;

/** How many failures in a row there are, counting the one of a process that just ended after it ran for a while. */
export function countFailures(before: number, ranMs: number): number {
  return ranMs >= HEALTHY_AFTER_MS ? 1 : before + 1;
}

/** How long to wait before the restart that follows the nth failure in a row: doubling up to half a minute, less up to a half at random (from 0 to 1). */
export function restartDelayMs(failures: number, random: number): number {
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
  return Math.round(longest * (1 - random / 2));
}
