import { type Random as Numbers, seededRandom } from "../../bin/chaos/random.ts";

/** A stream of pseudo-random numbers, and bytes: the same seed, the same ones. */
export interface Random extends Numbers {
  /** So many bytes. */
  bytes(length: number): Buffer;
}

const ALL_NUMBERS = 2 ** 32;

/** Begins a stream at a seed. */
export function seeded(seed: number): Random {
  const numbers = seededRandom(seed);
  return {
    ...numbers,
    bytes: (length) => {
      const bytes = Buffer.alloc(length);
      for (let at = 0; at < length; at += 1) {
        bytes[at] = numbers.below(ALL_NUMBERS);
      }
      return bytes;
    },
  };
}
