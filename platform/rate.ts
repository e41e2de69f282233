/** How often something may happen: lastingly so many a millisecond, and so many at once after a pause. */
export interface Rate {
  readonly perMs: number;
  readonly burst: number;
}

const PERIODS_MS: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const RATE = /^(\d{1,9})\/(second|minute|hour|day) burst (\d{1,9})$/;

/** Reads a rate as `10/minute burst 20`; both numbers from 1 up. @throws Error that says what is expected. */
export function parseRate(value: string): Rate {
  const [, count, period = "", burst] = RATE.exec(value) ?? [];
  const rate = { perMs: Number(count) / (PERIODS_MS[period] ?? 1), burst: Number(burst) };
  if (!(rate.perMs > 0 && rate.burst > 0)) {
    throw new Error("expected a rate as 10/minute burst 20, a second, minute, hour or day, both numbers from 1 up");
  }
  return rate;
}
