import type { Clock } from "../../../platform/clock.ts";

/** Places in one millisecond. Times up to the year 2109 stay exact as a double. */
const PLACES = 2048;
/** A time further ahead than this is another clock's fault and is not followed. */
const MAX_AHEAD_MS = 60_000;

/** When a message of that order was accepted, in milliseconds since the epoch. */
export function acceptedAtOf(order: number): number {
  return Math.floor(order / PLACES);
}

/** The first order of a millisecond. */
export function orderAt(acceptedAt: number): number {
  return acceptedAt * PLACES;
}

/**
 * A hybrid logical clock (Kulkarni et al. 2014) whose times are one number: milliseconds and a place among those of the same one.
 * Strictly increasing in its process, even when the wall clock steps back.
 */
export class HybridClock {
  readonly #now: Clock;
  #last = 0;

  constructor(now: Clock) {
    this.#now = now;
  }

  /** The next order: later than all given out and all seen. */
  next(): number {
    this.#last = Math.max(this.#last + 1, orderAt(this.#now()));
    return this.#last;
  }

  /** Takes notice of an order that another process gave out. */
  see(order: number): void {
    if (acceptedAtOf(order) <= this.#now() + MAX_AHEAD_MS) {
      this.#last = Math.max(this.#last, order);
    }
  }
}
