import { SallyportError } from "../platform/errors.ts";
import { addressKey } from "./limits/address-key.ts";

/** Where bodies gather. Clients are known by their canonical addresses. */
export interface Room {
  /** Takes so many bytes for a client; answers why not, and takes none, when there is no room. */
  take(address: string, bytes: number): SallyportError | undefined;
  /** Gives bytes back that were taken for a client. */
  give(address: string, bytes: number): void;
}

const RETRY_AFTER_MS = 1_000;

/** The memory that the bodies of all requests share, so that many at once cannot exhaust the process, and one client not the room. */
export class BodyRoom implements Room {
  readonly #maxBytes: number;
  readonly #maxBytesOfOne: number;
  readonly #takenBy = new Map<string, number>();
  #freeBytes: number;

  /** Room for so many bytes, and of them for so many of one client: an IPv4 address, or a /64 of IPv6. */
  constructor(maxBytes: number, maxBytesOfOne: number) {
    this.#maxBytes = maxBytes;
    this.#freeBytes = maxBytes;
    this.#maxBytesOfOne = maxBytesOfOne;
  }

  /** What is taken by all. */
  get takenBytes(): number {
    return this.#maxBytes - this.#freeBytes;
  }

  take(address: string, bytes: number): SallyportError | undefined {
    const client = addressKey(address);
    const taken = (this.#takenBy.get(client) ?? 0) + bytes;
    if (bytes > this.#freeBytes || taken > this.#maxBytesOfOne) {
      const facts = { reason: "TOO_MANY_BODIES", retryAfterMs: RETRY_AFTER_MS };
      return new SallyportError("RESOURCE_EXHAUSTED", "too many requests are being read", facts);
    }
    this.#freeBytes -= bytes;
    this.#takenBy.set(client, taken);
    return undefined;
  }

  give(address: string, bytes: number): void {
    const client = addressKey(address);
    const taken = (this.#takenBy.get(client) ?? 0) - bytes;
    this.#freeBytes += bytes;
    if (taken > 0) {
      this.#takenBy.set(client, taken);
    } else {
      this.#takenBy.delete(client);
    }
  }
}
