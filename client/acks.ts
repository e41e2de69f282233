import type { SendFrame } from "./calls.ts";
import { ackFrame } from "./frames.ts";
import type { After } from "./surroundings.ts";

/** The ids that go into one frame, which stays far below the frame limit. */
const BATCH = 256;

/** Acknowledgements on their way: those of one turn of the event loop travel in one frame, those made without a socket wait for the next one. */
export class Acks {
  readonly #after: After;
  #due = new Set<string>();
  #send: SendFrame | undefined;
  #stopTimer: (() => void) | undefined;

  constructor(after: After) {
    this.#after = after;
  }

  /** Acknowledges a message, soon. */
  add(messageId: string): void {
    this.#due.add(messageId);
    if (this.#due.size >= BATCH) {
      this.flush();
    } else if (this.#send !== undefined) {
      this.#stopTimer ??= this.#after(0, () => this.flush());
    }
  }

  /** Sends what is due, if there is a socket. Returns whether anything was sent. */
  flush(): boolean {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#send === undefined || this.#due.size === 0) {
      return false;
    }
    const ids = [...this.#due];
    this.#due = new Set();
    for (let start = 0; start < ids.length; start += BATCH) {
      this.#send(ackFrame(ids.slice(start, start + BATCH)));
    }
    return true;
  }

  /** A socket stands: sends what is due. Returns whether that was anything. */
  attach(send: SendFrame): boolean {
    this.#send = send;
    return this.flush();
  }

  /** The socket is gone. What was sent and did not arrive is asked for again: the server sends the message once more. */
  detach(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#send = undefined;
  }
}
