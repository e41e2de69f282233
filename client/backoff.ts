const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/**
 * How long to wait before the next attempt, after `failures` in a row, in milliseconds: exponential with full jitter, so that
 * the clients of a gateway that died do not come back all at once. `random` is from 0 up to 1.
 */
export function backoff(failures: number, random: number): number {
  return Math.floor(random * Math.min(LONGEST_MS, FIRST_MS * 2 ** failures));
}
