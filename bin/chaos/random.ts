/** A stream of pseudo-random numbers (mulberry32): the same seed, the same numbers. */
export interface Random {
  /** From 0 up to `below`, which it does not reach. */
  below(below: number): number;
  /** Whether something happens that happens so often, from 0 to 1. */
  chance(probability: number): boolean;
  /** One of a list. @throws RangeError when it is empty */
  pick<T>(items: readonly T[]): T;
}

/** Begins a stream at a seed, a whole number. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    below: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
    pick: (items) => {
      if (items.length === 0) {
        throw new RangeError("nothing to pick from");
      }
      return items[Math.floor(next() * items.length)] as (typeof items)[number];
    },
  };
}
