import { clientFrame, type FrameSink, type LoadSocket, Opcode } from "./web-socket.ts";

const MESSAGE_START = Buffer.from('{"message":{"id":"');
const ID_BYTES = 36;
/** Where the last group of the client message id is in the event of a message. */
const NUMBER_AT = MESSAGE_START.length + ID_BYTES + '","clientMessageId":"'.length + 24;
/** Field 2 of ClientFrame, field 1 of Ack, both length-delimited. */
const [ACK_TAG, ID_TAG] = [0x12, 0x0a];

/** Takes the messages of one sender, acknowledges all that came in one piece together, and sees that each comes once and in order. */
export class Inbox {
  /** Messages so far, each counted once. */
  received = 0;
  /** Messages that came again, or before an earlier one. */
  strays = 0;
  readonly #socket: LoadSocket;
  readonly #changed: () => void;
  #next = 0;
  #due: Buffer[] = [];

  /** `changed` is told whenever messages have come, and acknowledged. */
  constructor(socket: LoadSocket, changed: () => void) {
    this.#socket = socket;
    this.#changed = changed;
  }

  /** What the socket's frames go into. */
  get sink(): FrameSink {
    return {
      text: (payload) => this.#take(payload),
      settled: () => this.#acknowledge(),
    };
  }

  #take(payload: Buffer): void {
    if (!payload.subarray(0, MESSAGE_START.length).equals(MESSAGE_START)) {
      return;
    }
    const number = Number.parseInt(payload.toString("latin1", NUMBER_AT, NUMBER_AT + 12), 16);
    if (number >= this.#next) {
      this.received += 1;
      this.#next = number + 1;
    } else {
      this.strays += 1;
    }
    this.#due.push(Buffer.from(payload.subarray(MESSAGE_START.length, MESSAGE_START.length + ID_BYTES)));
  }

  #acknowledge(): void {
    if (this.#due.length === 0) {
      return;
    }
    for (let start = 0; start < this.#due.length; start += 256) {
      this.#socket.send(ackFrame(this.#due.slice(start, start + 256)));
    }
    this.#due = [];
    this.#changed();
  }
}

/** The frame that acknowledges messages; their ids as text. */
export function ackFrame(ids: readonly Buffer[]): Buffer {
  const length = ids.length * (ID_BYTES + 2);
  const head = length < 128 ? [ACK_TAG, length] : [ACK_TAG, (length & 0x7f) | 0x80, length >> 7];
  return clientFrame(Opcode.BINARY, Buffer.concat([Buffer.from(head), ...ids.flatMap((id) => [Buffer.from([ID_TAG, ID_BYTES]), id])]));
}
