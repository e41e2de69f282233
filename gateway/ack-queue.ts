import type { Clock } from "../platform/clock.ts";
import { retry } from "./retry.ts";

/** Ids in one call to the chat service. */
const MAX_TOLD = 256;
/** Above what an inbox holds: no client has more to acknowledge. */
const MAX_WAITING = 16_384;
/** How long after the socket's end the gateway tries to hand its acknowledgements on. */
const LINGER_MS = 30_000;

/** The acknowledgements of one socket on their way to the chat service: one call at a time; what comes meanwhile waits, each id once. */
export class AckQueue {
  readonly #tell: (messageIds: string[]) => Promise<unknown>;
  readonly #clock: Clock;
  readonly #waiting = new Set<string>();
  #telling = false;
  #giveUpAt = Number.POSITIVE_INFINITY;

  /** `tell` is repeated while it fails with an error that may pass. */
  constructor(tell: (messageIds: string[]) => Promise<unknown>, clock: Clock) {
    this.#tell = tell;
    this.#clock = clock;
  }

  /** Hands ids on; answers whether the queue still has room for more. */
  add(messageIds: readonly string[]): boolean {
    for (const id of messageIds) {
      this.#waiting.add(id);
    }
    if (!this.#telling) {
      void this.#run();
    }
    return this.#waiting.size <= MAX_WAITING;
  }

  /** The socket has closed: what waits is tried for 30 s more. */
  end(): void {
    this.#giveUpAt = this.#clock() + LINGER_MS;
  }

  async #run(): Promise<void> {
    const wanted = (): boolean => this.#clock() < this.#giveUpAt;
    this.#telling = true;
    while (this.#waiting.size > 0 && wanted()) {
      const ids = this.#take();
      await retry(() => this.#tell(ids), wanted).catch(() => {
        // The messages come again, with the next socket.
      });
    }
    this.#telling = false;
  }

  #take(): string[] {
    const ids: string[] = [];
    for (const id of this.#waiting) {
      if (ids.length === MAX_TOLD) {
        break;
      }
      ids.push(id);
      this.#waiting.delete(id);
    }
    return ids;
  }
}
