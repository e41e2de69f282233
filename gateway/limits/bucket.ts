import type { Rate } from "../../platform/rate.ts";

/** A token bucket: what was in it at a time, in milliseconds since the epoch. It fills at its rate, up to the burst. */
export interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** What came of taking tokens; refused: none was taken, and after so many milliseconds there are enough. */
export type Taking = { readonly kind: "taken" } | { readonly kind: "refused"; readonly retryAfterMs: number };

/** Tokens that the rounding of binary fractions may have cost a bucket: who waits as long as told is not refused again. */
const ROUNDING = 1e-9;

/** A bucket that nothing was taken from. */
export function fullBucket({ burst }: Rate, now: number): Bucket {
  return { tokens: burst, at: now };
}

/** When a bucket is full again, if nothing more is taken. */
export function fullAt({ tokens, at }: Bucket, { perMs, burst }: Rate): number {
  return at + (burst - tokens) / perMs;
}

/** Takes tokens where there are enough, else none; more than the burst counts as the burst. A clock that was set back fills nothing. */
export function take(bucket: Bucket, now: number, { perMs, burst }: Rate, tokens = 1): readonly [Bucket, Taking] {
  const there = Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) * perMs);
  const left = there - Math.min(tokens, burst);
  if (left < -ROUNDING) {
    return [
      { tokens: there, at: now },
      { kind: "refused", retryAfterMs: Math.ceil((-left - ROUNDING) / perMs) },
    ];
  }
  return [{ tokens: Math.max(0, left), at: now }, { kind: "taken" }];
}

/** Puts tokens back that were taken. */
export function give(bucket: Bucket, { burst }: Rate, tokens = 1): Bucket {
  return { tokens: Math.min(burst, bucket.tokens + tokens), at: bucket.at };
}
