/** Below the time that the driver waits for an answer: a member that no majority follows says so itself. */
const CONFIRMED_MS = 3_000;

interface Linearizable {
  readonly batchSize: number;
  readonly readConcern: { readonly level: "linearizable" };
  readonly maxTimeMS: number;
}

/**
 * How up to `limit` documents are read that no member of the database which was cut off can answer for: once they are read, a majority
 * confirms that the member still leads it. MongoDB promises the rest for one document only. What is relied on for several is that each of
 * them is as it was when the read began, or later, not that all are of one moment; and that one answer holds them all, as nothing confirms
 * what a cursor brings afterwards.
 */
export function linearizable(limit: number): Linearizable {
  return { batchSize: limit + 1, readConcern: { level: "linearizable" }, maxTimeMS: CONFIRMED_MS };
}
