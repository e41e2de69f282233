import type { Clock } from "../../platform/clock.ts";
import type { Rate } from "../../platform/rate.ts";
import type { Taking } from "./bucket.ts";
import { Buckets } from "./buckets.ts";
import { Meter } from "./meter.ts";

/** So many keys are remembered at a time, at a few hundred bytes each. */
const MAX_KEYS = 50_000;

/** A limit for each key and, where there is one, a limit for all of them together. */
export class Limiter {
  readonly #clock: Clock;
  readonly #ofEach: Buckets;
  readonly #ofAll: Meter | undefined;

  constructor(clock: Clock, ofEach: Rate, ofAll?: Rate) {
    this.#clock = clock;
    this.#ofEach = new Buckets(ofEach, MAX_KEYS);
    this.#ofAll = ofAll && new Meter(ofAll, clock());
  }

  /** Takes tokens of both, or of neither. */
  take(key: string, tokens = 1): Taking {
    const now = this.#clock();
    const ofAll = this.#ofAll?.look(now, tokens);
    if (ofAll?.kind === "refused") {
      return ofAll;
    }
    const taking = this.#ofEach.take(key, now, tokens);
    if (taking.kind === "taken") {
      this.#ofAll?.take(now, tokens);
    }
    return taking;
  }

  /** Puts tokens back that were taken of both. */
  give(key: string, tokens = 1): void {
    this.#ofEach.give(key, tokens);
    this.#ofAll?.give(tokens);
  }
}
