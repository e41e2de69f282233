import type { Rate } from "../../platform/rate.ts";
import { type Bucket, fullBucket, give, type Taking, take } from "./bucket.ts";

/** One token bucket, full at first. */
export class Meter {
  readonly #rate: Rate;
  #bucket: Bucket;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#bucket = fullBucket(rate, now);
  }

  /** What would come of taking tokens. */
  look(now: number, tokens = 1): Taking {
    return take(this.#bucket, now, this.#rate, tokens)[1];
  }

  take(now: number, tokens = 1): Taking {
    const [bucket, taking] = take(this.#bucket, now, this.#rate, tokens);
    this.#bucket = bucket;
    return taking;
  }

  /** Puts tokens back that were taken. */
  give(tokens = 1): void {
    this.#bucket = give(this.#bucket, this.#rate, tokens);
  }
}
