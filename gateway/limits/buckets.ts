import type { Rate } from "../../platform/rate.ts";
import { type Bucket, fullAt, fullBucket, give, type Taking, take } from "./bucket.ts";

/** Into how many slots the time is cut in which an empty bucket fills. */
const SLOTS = 64;

/**
 * Token buckets of one rate by key, up to so many. Full ones are forgotten: they say what an unknown key says. When there are too many, the
 * fullest goes, which gives away the least; so who wants his own empty bucket forgotten must first empty all the others.
 */
export class Buckets {
  readonly #rate: Rate;
  readonly #maxKeys: number;
  readonly #slotMs: number;
  readonly #buckets = new Map<string, Bucket>();
  /** The keys, by the slot at whose beginning their buckets are full. */
  readonly #slots = new Map<number, Set<string>>();
  #forgottenTo = 0;

  constructor(rate: Rate, maxKeys: number) {
    this.#rate = rate;
    this.#maxKeys = maxKeys;
    this.#slotMs = Math.max(1, rate.burst / rate.perMs / SLOTS);
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#buckets.size;
  }

  take(key: string, now: number, tokens = 1): Taking {
    this.#forgetFull(now);
    const known = this.#buckets.get(key);
    const [bucket, taking] = take(known ?? fullBucket(this.#rate, now), now, this.#rate, tokens);
    if (known !== undefined) {
      this.#forget(key, this.#slotOf(known));
    } else if (this.#buckets.size >= this.#maxKeys) {
      this.#forgetFullest();
    }
    this.#keep(key, bucket);
    return taking;
  }

  /** Puts tokens back that were taken; a key that was forgotten has them already. */
  give(key: string, tokens = 1): void {
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      this.#forget(key, this.#slotOf(known));
      this.#keep(key, give(known, this.#rate, tokens));
    }
  }

  #keep(key: string, bucket: Bucket): void {
    const slot = this.#slotOf(bucket);
    this.#buckets.set(key, bucket);
    const keys = this.#slots.get(slot);
    if (keys === undefined) {
      this.#slots.set(slot, new Set([key]));
    } else {
      keys.add(key);
    }
  }

  #forget(key: string, slot: number): void {
    this.#buckets.delete(key);
    const keys = this.#slots.get(slot);
    keys?.delete(key);
    if (keys?.size === 0) {
      this.#slots.delete(slot);
    }
  }

  #forgetFull(now: number): void {
    const current = Math.floor(now / this.#slotMs);
    if (current === this.#forgottenTo) {
      return;
    }
    this.#forgottenTo = current;
    for (const [slot, keys] of this.#slots) {
      if (slot <= current) {
        this.#slots.delete(slot);
        for (const key of keys) {
          this.#buckets.delete(key);
        }
      }
    }
  }

  #forgetFullest(): void {
    const slot = Math.min(...this.#slots.keys());
    for (const key of this.#slots.get(slot) ?? []) {
      this.#forget(key, slot);
      return;
    }
  }

  #slotOf(bucket: Bucket): number {
    return Math.ceil(fullAt(bucket, this.#rate) / this.#slotMs);
  }
}
