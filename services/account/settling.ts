/** After a start, an outage or a pause gateways get this long to renew their leases before a lapsed one counts: longer than a lease runs. */
export const SETTLING_MS = 15_000;
/** The database is looked at every second; without a good look for this long nothing can be said about the time in between. */
const BLIND_MS = 5_000;

/** Since when a lapsed lease says something about its holder. Times are milliseconds of a monotonic clock. */
export interface Settling {
  /** When the database was last seen up. */
  readonly lastUpAt: number;
  readonly settledAt: number;
}

/** Before the first look. */
export const unsettled: Settling = { lastUpAt: Number.NEGATIVE_INFINITY, settledAt: Number.POSITIVE_INFINITY };

/** The database was seen up. */
export function seenUp(state: Settling, now: number): Settling {
  return { lastUpAt: now, settledAt: now - state.lastUpAt > BLIND_MS ? now + SETTLING_MS : state.settledAt };
}

/** Whether gateways may not have had the time to renew their leases. */
export function isSettling({ lastUpAt, settledAt }: Settling, now: number): boolean {
  return now < settledAt || now - lastUpAt > BLIND_MS;
}
