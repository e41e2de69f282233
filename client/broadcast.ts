import { Wakeup } from "./wakeup.ts";

/** How far a subscriber may lag behind; older items are dropped. */
const KEPT = 1024;

/** Hands each item to everyone who has subscribed. */
export class Broadcast<T> {
  /** The newest items, once for all subscribers: each knows only how far it has read, so that one which never reads holds nothing. */
  readonly #newest: T[] = [];
  readonly #wakeup = new Wakeup();
  #published = 0;
  #ended = false;

  publish(item: T): void {
    this.#newest.push(item);
    if (this.#newest.length > KEPT) {
      this.#newest.shift();
    }
    this.#published += 1;
    this.#wakeup.wake();
  }

  /** Subscriptions end once they are read to their end. */
  end(): void {
    this.#ended = true;
    this.#wakeup.wake();
  }

  /** Every item from this call on. Ends with the broadcast, or when the signal aborts. */
  subscribe(signal?: AbortSignal): AsyncGenerator<T, void, undefined> {
    return this.#read(this.#published, signal);
  }

  async *#read(from: number, signal?: AbortSignal): AsyncGenerator<T, void, undefined> {
    let next = from;
    while (!signal?.aborted) {
      const unread = Math.min(this.#published - next, this.#newest.length);
      if (unread > 0) {
        next = this.#published - unread + 1;
        yield this.#newest[this.#newest.length - unread] as T;
      } else if (this.#ended) {
        return;
      } else {
        await this.#wakeup.wait(signal);
      }
    }
  }
}
