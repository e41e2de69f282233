import type { Random } from "./random.ts";

/** One change of some bytes. */
type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** Bytes that sit on a boundary of protobuf's or WebSocket's encoding. */
const EDGES = [0x00, 0x01, 0x07, 0x0a, 0x12, 0x1a, 0x22, 0x7d, 0x7e, 0x7f, 0x80, 0xfe, 0xff];

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => replaced(bytes, random, (byte) => byte ^ (1 << random.below(8))),
  (bytes, random) => replaced(bytes, random, () => random.pick(EDGES)),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => bytes.subarray(random.below(bytes.length + 1)),
  (bytes, random) => inserted(bytes, random, random.bytes(1 + random.below(16))),
  (bytes, random) => inserted(bytes, random, bytes.subarray(0, random.below(bytes.length + 1))),
  (bytes, random) => inserted(bytes, random, Buffer.alloc(1 + random.below(64), random.pick(EDGES))),
  (bytes) => Buffer.concat([bytes, bytes]),
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
  },
];

/** Some bytes with one to four changes. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let changed = Buffer.from(bytes);
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    changed = Buffer.from(random.pick(MUTATIONS)(changed, random));
  }
  return changed;
}

function replaced(bytes: Buffer, random: Random, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) {
    const at = random.below(copy.length);
    copy[at] = change(copy[at] ?? 0);
  }
  return copy;
}

function inserted(bytes: Buffer, random: Random, more: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}
