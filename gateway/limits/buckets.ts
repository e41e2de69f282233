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
  readonly #buckets = new Map<string, Kept>();
  /** The keys, by the slot at whose beginning their buckets were to be full when they were last looked at: taking more moves none, time does. */
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
    const [bucket, taking] = take(known?.bucket ?? fullBucket(this.#rate, now), now, this.#rate, tokens);
    if (known !== undefined) {
      known.bucket = bucket;
      return taking;
    }
    if (this.#buckets.size >= this.#maxKeys) {
      this.#forgetFullest();
    }
    const slot = this.#slotOf(bucket);
    this.#buckets.set(key, { bucket, slot });
    this.#file(key, slot);
    return taking;
  }

  /** Puts tokens back that were taken; a key that was forgotten has them already. */
  give(key: string, tokens = 1): void {
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      known.bucket = give(known.bucket, this.#rate, tokens);
      this.#move(key, known);
    }
  }

  /** Files a key where its bucket belongs by now. */
  #move(key: string, known: Kept): void {
    this.#unfile(key, known.slot);
    known.slot = this.#slotOf(known.bucket);
    this.#file(key, known.slot);
  }

  #file(key: string, slot: number): void {
    const keys = this.#slots.get(slot);
    if (keys === undefined) {
      this.#slots.set(slot, new Set([key]));
    } else {
      keys.add(key);
    }
  }

  #forgetFull(now: number): void {
    const current = Math.floor(now / this.#slotMs);
    if (current === this.#forgottenTo) {
      return;
    }
    this.#forgottenTo = current;
    for (const [slot, keys] of [...this.#slots]) {
      if (slot > current) {
        continue;
      }
      this.#slots.delete(slot);
      for (const key of keys) {
        const known = this.#buckets.get(key) as Kept;
        known.slot = this.#slotOf(known.bucket);
        if (known.slot <= current) {
          this.#buckets.delete(key);
        } else {
          this.#file(key, known.slot);
        }
      }
    }
  }

  #forgetFullest(): void {
    for (;;) {
      const slot = Math.min(...this.#slots.keys());
      for (const key of this.#slots.get(slot) ?? []) {
        const known = this.#buckets.get(key) as Kept;
        this.#move(key, known);
        if (known.slot === slot) {
          this.#unfile(key, slot);
          this.#buckets.delete(key);
          return;
        }
      }
    }
  }

  #unfile(key: string, slot: number): void {
    const keys = this.#slots.get(slot);
    keys?.delete(key);
    if (keys?.size === 0) {
      this.#slots.delete(slot);
    }
  }

  #slotOf(bucket: Bucket): number {
    return Math.ceil(fullAt(bucket, this.#rate) / this.#slotMs);
  }
}

/** A bucket, and the slot that its key is filed under: its own or an earlier one. */
interface Kept {
  bucket: Bucket;
  slot: number;
}
