/** Times in milliseconds, from the shortest to the longest. */
export type Sample = readonly number[];

/** What a sample says: how many, the median, the 99th percentile, the longest. */
export function describe(times: Sample): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
  return `n ${sorted.length}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}

/** Does something so many times, some of them side by side, and answers what each came to. */
export async function repeat<T>(times: number, atOnce: number, act: (turn: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let turn = next++; turn < times; turn = next++) {
      results.push(await act(turn));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}
