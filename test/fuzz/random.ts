/** A stream of pseudo-random numbers (mulberry32): the same seed, the same numbers. */
export interface Random {
  /** From 0 up to `below`, which it does not reach. */
  below(below: number): number;
  /** So many bytes. */
  bytes(length: number): Buffer;
  /** One of a list. */
  pick<T>(items: readonly T[]): T;
}

/** Begins a stream at a seed. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (bound: number): number => Math.floor((next() / 4_294_967_296) * bound);
  return {
    below,
    bytes: (length) => {
      const bytes = Buffer.alloc(length);
      for (let at = 0; at < length; at += 1) {
        bytes[at] = next();
      }
      return bytes;
    },
    pick: (items) => {
      if (items.length === 0) {
        throw new RangeError("nothing to pick from");
      }
      return items[below(items.length)] as (typeof items)[number];
    },
  };
}
