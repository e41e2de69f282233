/** The request that a body belongs to: what can be made to wait. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** What may gather before anybody reads: a client that has not shown who it is gets no more room. */
const UNREAD_BYTES = 65_536;

/** The body of a request as it comes in, held back while nobody reads it. */
export class RequestBody implements AsyncIterable<Uint8Array> {
  readonly #source: Pausable;
  #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #state: "unread" | "paused" | "reading" | "dropped" = "unread";
  #isWhole = false;
  #wake: (() => void) | undefined;

  constructor(source: Pausable) {
    this.#source = source;
  }

  /** A chunk has come, its bytes the body's own. */
  add(chunk: Uint8Array, isLast: boolean): void {
    this.#isWhole ||= isLast;
    if (this.#state !== "dropped") {
      this.#chunks.push(chunk);
      this.#queuedBytes += chunk.length;
    }
    if (this.#state === "unread" && this.#queuedBytes > UNREAD_BYTES && !isLast) {
      this.#state = "paused";
      this.#source.pause();
    }
    this.#wake?.();
  }

  /** Nobody will read more: what is still to come is thrown away. */
  drop(): void {
    const wasPaused = this.#state === "paused";
    this.#state = "dropped";
    this.#chunks = [];
    if (wasPaused) {
      this.#source.resume();
    }
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const wasPaused = this.#state === "paused";
    this.#state = "reading";
    if (wasPaused) {
      this.#source.resume();
    }
    while (this.#state === "reading") {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        yield chunk;
      } else if (this.#isWhole) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
