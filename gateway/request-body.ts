import { SallyportError } from "../platform/errors.ts";
import type { Room } from "./body-room.ts";

/** The request that a body belongs to: what can be made to wait. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** What may gather before anybody reads: a client that has not shown who it is gets no more room. */
const UNREAD_BYTES = 65_536;
/** What a chunk costs besides its bytes: a body may come in chunks of one byte. */
const CHUNK_BYTES = 256;

/** The body of a request as it comes in, held back while nobody reads it. Its bytes count in a room until it is disposed of. */
export class RequestBody implements AsyncIterable<Uint8Array>, Disposable {
  readonly #source: Pausable;
  readonly #room: Room;
  readonly #address: string;
  #chunks: Uint8Array[] = [];
  #takenBytes = 0;
  #state: "unread" | "paused" | "reading" | "over" = "unread";
  #failure: SallyportError | undefined;
  #isWhole = false;
  #wake: (() => void) | undefined;

  constructor(source: Pausable, room: Room, address: string) {
    this.#source = source;
    this.#room = room;
    this.#address = address;
  }

  /** A chunk has come, its bytes the body's own. Without room for it, whoever reads hears RESOURCE_EXHAUSTED. */
  add(chunk: Uint8Array, isLast: boolean): void {
    this.#isWhole ||= isLast;
    if (this.#state === "over") {
      return;
    }
    const cost = chunk.length + CHUNK_BYTES;
    const refused = this.#room.take(this.#address, cost);
    if (refused !== undefined) {
      this.#failure = refused;
      this.drop();
      return;
    }
    this.#takenBytes += cost;
    this.#chunks.push(chunk);
    if (this.#state === "unread" && this.#takenBytes > UNREAD_BYTES + CHUNK_BYTES && !isLast) {
      this.#state = "paused";
      this.#source.pause();
    }
    this.#wake?.();
  }

  /** Nobody will read more: what is still to come is thrown away. */
  drop(): void {
    const wasPaused = this.#state === "paused";
    this.#end();
    if (wasPaused) {
      this.#source.resume();
    }
  }

  /** The client has gone, and the source with it: whoever reads hears CANCELLED, never an end that looks like the whole. */
  abort(): void {
    this.#failure = new SallyportError("CANCELLED", "the client has gone", { reason: "CANCELLED" });
    this.#end();
  }

  [Symbol.dispose](): void {
    this.#end();
    this.#room.give(this.#address, this.#takenBytes);
    this.#takenBytes = 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.#state === "paused") {
      this.#source.resume();
    }
    if (this.#state !== "over") {
      this.#state = "reading";
    }
    while (this.#state === "reading") {
      if (this.#chunks.length > 0) {
        const gathered = this.#chunks;
        this.#chunks = [];
        yield Buffer.concat(gathered);
      } else if (this.#isWhole) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  #end(): void {
    this.#state = "over";
    this.#chunks = [];
    this.#wake?.();
  }
}
