/** The memory that the bodies of all requests share, so that many at once cannot exhaust the process. */
export class BodyRoom {
  #freeBytes: number;

  constructor(maxBytes: number) {
    this.#freeBytes = maxBytes;
  }

  /** Takes so many bytes; false, and none, when there are not as many. */
  take(bytes: number): boolean {
    if (bytes > this.#freeBytes) {
      return false;
    }
    this.#freeBytes -= bytes;
    return true;
  }

  /** Gives bytes back that were taken. */
  give(bytes: number): void {
    this.#freeBytes += bytes;
  }
}
