/** The memory that the bodies of all requests share, so that many at once cannot exhaust the process, and one client not the room. */
export class BodyRoom {
  readonly #maxBytesOfOne: number;
  readonly #takenBy = new Map<string, number>();
  #freeBytes: number;

  /** Room for so many bytes, and of them for so many of one client. */
  constructor(maxBytes: number, maxBytesOfOne: number) {
    this.#freeBytes = maxBytes;
    this.#maxBytesOfOne = maxBytesOfOne;
  }

  /** Takes so many bytes for a client; false, and none, when there are not as many. */
  take(client: string, bytes: number): boolean {
    const taken = (this.#takenBy.get(client) ?? 0) + bytes;
    if (bytes > this.#freeBytes || taken > this.#maxBytesOfOne) {
      return false;
    }
    this.#freeBytes -= bytes;
    this.#takenBy.set(client, taken);
    return true;
  }

  /** Gives bytes back that were taken for a client. */
  give(client: string, bytes: number): void {
    const taken = (this.#takenBy.get(client) ?? 0) - bytes;
    this.#freeBytes += bytes;
    if (taken > 0) {
      this.#takenBy.set(client, taken);
    } else {
      this.#takenBy.delete(client);
    }
  }
}
