/** Resolves when all do. When some fail, rejects with the first failure, but only after all are settled: what the others have started is known by then. */
export async function settleAll<T>(starts: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(starts);
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") {
      throw outcome.reason;
    }
    return outcome.value;
  });
}
