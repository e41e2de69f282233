/**
 * So many moments, spread evenly over a window, in whole milliseconds from 0 and in ascending order: one at random in each of as many equal
 * slots. Independent draws would leave gaps and crowds. `random` is from 0 up to 1.
 */
export function spreadEvenly(count: number, windowMs: number, random: () => number): readonly number[] {
  return Array.from({ length: count }, (_, slot) => Math.floor(((slot + random()) / count) * windowMs));
}
