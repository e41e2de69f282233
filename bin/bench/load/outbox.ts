import { SendMessageRequest } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { ClientFrame } from "../../../proto/gen/sallyport/gateway/v1/frames.ts";
import { clientFrame, Opcode } from "./web-socket.ts";

const METHOD = "/sallyport.chat.v1.ChatService/SendMessage";
const BODY_BYTES = 128;
/** The last group of a UUID. */
const NUMBER_AT = 24;

/** The frames of somebody who writes to one account: built once for each slot, and numbered anew for each message. */
export class Outbox {
  readonly #frames: readonly Buffer[];
  readonly #numberAt: readonly number[];
  #sent = 0;

  /** `idStart` is what all client message ids begin with: a UUID without its last group. */
  constructor(recipientAccountId: string, idStart: string, slots: number) {
    const placeholder = `${idStart}-000000000000`;
    this.#frames = Array.from({ length: slots }, (_, slot) => {
      const message = { recipientAccountId, clientMessageId: placeholder, body: Buffer.alloc(BODY_BYTES, 0x62) };
      const request = Buffer.from(SendMessageRequest.encode(message).finish());
      const call = { id: slot + 1, method: METHOD, request, timeoutMs: 30_000 };
      return clientFrame(Opcode.BINARY, ClientFrame.encode({ kind: { $case: "call", value: call } }).finish());
    });
    this.#numberAt = this.#frames.map((frame) => frame.indexOf(placeholder) + NUMBER_AT);
  }

  /** How many messages there have been. */
  get sent(): number {
    return this.#sent;
  }

  /** The next message, as the frame of a slot whose last one was answered. */
  next(slot: number): Buffer {
    const frame = this.#frames[slot] as Buffer;
    frame.write(this.#sent.toString(16).padStart(12, "0"), this.#numberAt[slot] ?? 0, "latin1");
    this.#sent += 1;
    return frame;
  }
}
