import { readCorpus } from "./corpus.ts";
import { mutate } from "./mutation.ts";
import type { Random } from "./random.ts";
import { BINARY, TEXT } from "./web-socket-frame.ts";

/** A frame to send: its opcode and its content. */
export interface FuzzedFrame {
  readonly opcode: number;
  readonly content: Buffer;
}

const TOKEN_BYTES = 1024;
const CORPUS = readCorpus();

/** What a client may send first, though it never should: anything but a token that is good. `token` is one that was. */
export function firstFrame(token: Buffer, random: Random): FuzzedFrame {
  const content = firstContent(token, random);
  return { opcode: random.below(16) === 0 ? TEXT : BINARY, content: content.equals(token) ? Buffer.alloc(0) : content };
}

function firstContent(token: Buffer, random: Random): Buffer {
  switch (random.below(6)) {
    case 0:
      return random.bytes(TOKEN_BYTES);
    case 1:
      return mutate(token, random);
    case 2:
      return withOneByteChanged(token, random);
    case 3:
      return random.bytes(random.below(2 * TOKEN_BYTES));
    case 4:
      return Buffer.alloc(random.pick([0, 1, 31, 32, 33, 1023, 1024, 1025]), random.below(256));
    default:
      return mutate(random.pick(CORPUS), random);
  }
}

/** What a client may send after the exchange: mutated frames of the corpus, long ones, and noise. */
export function laterFrame(random: Random): FuzzedFrame {
  const kind = random.below(64);
  if (kind === 0) {
    return { opcode: TEXT, content: Buffer.from("{}") };
  }
  if (kind === 1) {
    return { opcode: BINARY, content: random.bytes(random.below(512)) };
  }
  if (kind === 2) {
    // One field that fills a frame, up to just over the longest.
    const content = Buffer.alloc(random.pick([131_068, 131_072, 131_073]), 0x61);
    content.set([0x2a, 0xfc, 0xff, 0x07]);
    return { opcode: BINARY, content };
  }
  const base = random.pick(CORPUS);
  return { opcode: BINARY, content: kind < 24 ? mutate(base, random) : base };
}

function withOneByteChanged(token: Buffer, random: Random): Buffer {
  const changed = Buffer.from(token);
  const at = random.below(changed.length);
  changed[at] = (changed[at] ?? 0) ^ (1 + random.below(255));
  return changed;
}
