/** Shorter gaps between two looks are those of a busy process. */
const PAUSE_MS = 1_000;
/** What came during a pause is read within this time after it. */
const CATCH_UP_MS = 1_000;
const LOOK_MS = 100;

/**
 * Notices that this process has not run for a while: paused, swapped out, or too busy. What it reads just after that may have come at any time since, and
 * is judged as if it had come at the beginning. Otherwise a gateway that wakes after minutes would present a token that its client has long replaced.
 */
export class PauseWatch implements Disposable {
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #lookedAt: number;
  #pause = { since: 0, readUntil: Number.NEGATIVE_INFINITY };

  /** `now`: a monotonic clock, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#lookedAt = now();
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** How long ago, in milliseconds, what is read now may have come. */
  get lagMs(): number {
    const now = this.#now();
    if (now - this.#lookedAt > PAUSE_MS) {
      return now - this.#lookedAt;
    }
    return now < this.#pause.readUntil ? now - this.#pause.since : 0;
  }

  /** Has to happen many times a second. */
  look(): void {
    const now = this.#now();
    if (now - this.#lookedAt > PAUSE_MS) {
      this.#pause = { since: this.#lookedAt, readUntil: now + CATCH_UP_MS };
    }
    this.#lookedAt = now;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
