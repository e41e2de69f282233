import type { ReceivedMessage } from "./event.ts";
import type { SeenMessages } from "./seen-messages.ts";
import { Wakeup } from "./wakeup.ts";

/**
 * Messages between the server, which sends each until it is acknowledged, and the app, which gets each once and acknowledges it by asking
 * for the next. Bounded by the server: it pushes at most 256 unacknowledged ones.
 */
export class Inbox {
  readonly #seen: SeenMessages;
  readonly #acknowledge: (messageId: string) => void;
  readonly #queue: ReceivedMessage[] = [];
  /** The ids of messages that wait or are being handled. */
  readonly #held = new Set<string>();
  readonly #wakeup = new Wakeup();
  #ended = false;

  constructor(seen: SeenMessages, acknowledge: (messageId: string) => void) {
    this.#seen = seen;
    this.#acknowledge = acknowledge;
  }

  /** The server sent a message, perhaps not for the first time. */
  receive(message: ReceivedMessage): void {
    if (!this.#held.has(message.id)) {
      this.#held.add(message.id);
      this.#queue.push(message);
      this.#wakeup.wake();
    }
  }

  /** Nothing more will come, and acknowledgements go nowhere. */
  end(): void {
    this.#ended = true;
    this.#wakeup.wake();
  }

  /**
   * The messages, oldest first; each goes to one iteration. Asking for the next one acknowledges the last. An iteration that is left
   * (break, throw) does not acknowledge its last message: it is the first of the next iteration.
   */
  async *messages(signal?: AbortSignal): AsyncGenerator<ReceivedMessage, void, undefined> {
    while (!this.#ended && !signal?.aborted) {
      const message = this.#queue.shift();
      if (message === undefined) {
        await this.#wakeup.wait(signal);
        continue;
      }
      let settled = false;
      try {
        if (!(await this.#seen.has(message.id))) {
          yield message;
          await this.#seen.add(message.id);
        }
        settled = true;
      } finally {
        this.#letGo(message, settled);
      }
    }
  }

  #letGo(message: ReceivedMessage, settled: boolean): void {
    if (settled) {
      this.#held.delete(message.id);
      this.#acknowledge(message.id);
    } else {
      this.#queue.unshift(message);
      this.#wakeup.wake();
    }
  }
}
