import { decodeClientFrame, MAX_FRAME_BYTES } from "../../gateway/frames.ts";
import { MalformedError } from "../../gateway/wire-reader.ts";
import { ClientFrame, ServerFrame } from "../../proto/gen/sallyport/gateway/v1/frames.ts";
import { BareSocket } from "./bare-socket.ts";
import { type FuzzedFrame, firstFrame, laterFrame } from "./cases.ts";
import { type Random, seeded } from "./random.ts";
import { BINARY, TEXT } from "./web-socket-frame.ts";

/** What is sent, where, and for how long at most. */
export interface Campaign {
  readonly httpUrl: string;
  readonly seed: number;
  /** How many first frames, and as many after an exchange. */
  readonly framesOfEach: number;
  /** Milliseconds since the epoch: no further frame after it. */
  readonly until: number;
  /** A good chat refresh token for each worker; its successors take its place here. */
  readonly tokens: Buffer[];
}

/** What it came to. */
export interface Tally {
  firstFrames: number;
  laterFrames: number;
  exchanges: number;
  /** Frames and exchanges by the close code that they met. */
  readonly closes: Map<number, number>;
  /** Whatever the protocol does not say of such a frame. */
  readonly surprises: string[];
}

const BATCH = 64;
const PROBE_ID = 4_000_000_000;
const PROBE = Buffer.from(
  ClientFrame.encode({
    kind: { $case: "call", value: { id: PROBE_ID, method: "/none", request: Buffer.alloc(0), timeoutMs: 0 } },
  }).finish(),
);
const MAX_TOKEN_BYTES = 1024;

/** Runs a campaign with a worker for each token. */
export async function runCampaign(campaign: Campaign): Promise<Tally> {
  const tally: Tally = { firstFrames: 0, laterFrames: 0, exchanges: 0, closes: new Map(), surprises: [] };
  await Promise.all(campaign.tokens.map((_, worker) => work(campaign, worker, tally)));
  return tally;
}

async function work(campaign: Campaign, worker: number, tally: Tally): Promise<void> {
  const random = seeded(campaign.seed + worker);
  const share = Math.ceil(campaign.framesOfEach / campaign.tokens.length);
  let [first, later] = [0, 0];
  while ((first < share || later < share) && Date.now() < campaign.until) {
    if (first < share) {
      await sendFirstFrame(campaign, worker, random, tally);
      first += 1;
    }
    if (later < share && later <= first) {
      later += await sendLaterFrames(campaign, worker, random, tally);
    }
  }
}

async function sendFirstFrame({ httpUrl, tokens }: Campaign, worker: number, random: Random, tally: Tally): Promise<void> {
  const frame = firstFrame(tokens[worker] as Buffer, random);
  const socket = open(httpUrl, worker, random);
  socket.send(frame.opcode, frame.content);
  const code = await socket.closed();
  socket.reset();
  tally.firstFrames += 1;
  count(tally, code);
  if (code !== expectedFirst(frame)) {
    tally.surprises.push(`first frame ${describe(frame)}: closed with ${code}`);
  }
}

function expectedFirst({ opcode, content }: FuzzedFrame): number {
  // The socket library itself ends a Text frame that is no UTF-8.
  if (opcode === TEXT && !isText(content)) {
    return 1006;
  }
  if (content.length > MAX_TOKEN_BYTES) {
    return 1009;
  }
  return opcode === BINARY ? 4401 : 4400;
}

/** One exchange, then frames until one of them ends the socket. Answers how many. */
async function sendLaterFrames({ httpUrl, tokens }: Campaign, worker: number, random: Random, tally: Tally): Promise<number> {
  const socket = open(httpUrl, worker, random);
  socket.send(BINARY, tokens[worker] as Buffer);
  const [successor, access] = [await socket.next(), await socket.next()];
  if ("closed" in successor || "closed" in access) {
    tally.surprises.push(`an honest exchange: closed with ${"closed" in successor ? successor.closed : 0}`);
    return 1;
  }
  tokens[worker] = successor.content;
  tally.exchanges += 1;
  let sent = 0;
  for (;;) {
    const batch = Array.from({ length: BATCH }, () => drawLater(random));
    const bad = batch.findIndex((frame) => expectedLater(frame) !== undefined);
    const frames = bad < 0 ? batch : batch.slice(0, bad + 1);
    for (const { opcode, content } of frames) {
      socket.send(opcode, content);
    }
    sent += frames.length;
    tally.laterFrames += frames.length;
    const wrong = bad < 0 ? await probe(socket) : await expectEnd(socket, batch[bad] as FuzzedFrame, tally);
    if (wrong !== undefined) {
      tally.surprises.push(wrong);
    }
    if (bad >= 0 || wrong !== undefined) {
      socket.reset();
      return sent;
    }
  }
}

/** Most frames that would end the socket are drawn again: each costs an exchange. */
function drawLater(random: Random): FuzzedFrame {
  for (;;) {
    const frame = laterFrame(random);
    if (expectedLater(frame) === undefined || random.below(8) === 0) {
      return frame;
    }
  }
}

/** The code that a frame after the exchange is met with; undefined: the socket stays open. */
function expectedLater({ opcode, content }: FuzzedFrame): number | undefined {
  if (content.length > MAX_FRAME_BYTES) {
    return 1009;
  }
  if (opcode === TEXT) {
    return 4400;
  }
  try {
    decodeClientFrame(content);
    return undefined;
  } catch (error) {
    if (error instanceof MalformedError) {
      return 4400;
    }
    throw error;
  }
}

async function expectEnd(socket: BareSocket, frame: FuzzedFrame, tally: Tally): Promise<string | undefined> {
  const code = await socket.closed();
  count(tally, code);
  return code === expectedLater(frame) ? undefined : `later frame ${describe(frame)}: closed with ${code}`;
}

/** Whether the socket still answers. */
async function probe(socket: BareSocket): Promise<string | undefined> {
  socket.send(BINARY, PROBE);
  for (;;) {
    const arrival = await socket.next();
    if ("closed" in arrival) {
      return `well-formed frames: closed with ${arrival.closed}`;
    }
    const reply = arrival.opcode === BINARY ? ServerFrame.decode(arrival.content).kind?.value : undefined;
    if (reply?.callId === PROBE_ID) {
      return undefined;
    }
  }
}

function open(httpUrl: string, worker: number, random: Random): BareSocket {
  return new BareSocket(new URL(httpUrl), "/connect/chat", `127.0.${1 + worker}.${1 + random.below(250)}`);
}

function count({ closes }: Tally, code: number): void {
  closes.set(code, (closes.get(code) ?? 0) + 1);
}

function isText(content: Buffer): boolean {
  return Buffer.from(content.toString("utf8")).equals(content);
}

function describe({ opcode, content }: FuzzedFrame): string {
  return `(opcode ${opcode}, ${content.length} bytes) ${content.subarray(0, 64).toString("hex")}`;
}
