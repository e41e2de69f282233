const FIRST_MS = 500;
const LONGEST_MS = 10_000;

/**
 * How long to wait before the next attempt, after `failures` in a row, in milliseconds: exponential with full jitter (anywhere from 0 up to
 * the bound), so that the clients of a gateway that died do not come back all at once. `random` is from 0 up to 1.
 *
 * The bound ends at 10 s: after an outage of any length everybody tries again within 10 s of the server's return, while a thousand clients
 * of a server that is down make no more than 200 attempts a second. lifecycle.ts says when failures are forgotten.
 */
export function backoff(failures: number, random: number): number {
  return Math.floor(random * Math.min(LONGEST_MS, FIRST_MS * 2 ** failures));
}
