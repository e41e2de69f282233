import { Wakeup } from "./wakeup.ts";

/** What a subscriber that does not read keeps; older items are dropped. */
const KEPT = 1024;

/** Hands each item to everyone who has subscribed. */
export class Broadcast<T> {
  readonly #buffers = new Set<T[]>();
  readonly #wakeup = new Wakeup();
  #ended = false;

  publish(item: T): void {
    for (const buffer of this.#buffers) {
      buffer.push(item);
      buffer.splice(0, buffer.length - KEPT);
    }
    this.#wakeup.wake();
  }

  /** Subscriptions end once they are read to their end. */
  end(): void {
    this.#ended = true;
    this.#wakeup.wake();
  }

  /** Every item from this call on. Ends with the broadcast, or when the signal aborts. */
  subscribe(signal?: AbortSignal): AsyncGenerator<T, void, undefined> {
    const buffer: T[] = [];
    this.#buffers.add(buffer);
    return this.#read(buffer, signal);
  }

  async *#read(buffer: T[], signal?: AbortSignal): AsyncGenerator<T, void, undefined> {
    try {
      while (!signal?.aborted) {
        const item = buffer.shift();
        if (item !== undefined) {
          yield item;
        } else if (this.#ended) {
          return;
        } else {
          await this.#wakeup.wait(signal);
        }
      }
    } finally {
      this.#buffers.delete(buffer);
    }
  }
}
