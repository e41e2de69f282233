import { ConfigError } from "../platform/env.ts";

/** What reading a part of the configuration came to: its value, or what is wrong with it. */
export type Reading<T> = { readonly value: T } | { readonly problems: readonly string[] };

/** Reads a part of the configuration; what is wrong with it becomes a value too, so that it can be told along with that of other parts. */
export function reading<T>(read: () => T): Reading<T> {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof ConfigError) {
      return { problems: error.problems };
    }
    throw error;
  }
}

/**
 * All problems of several readings, without those that name again what an earlier one named: several roles read the same variable. `derived` tells which
 * variables got their values from which others; they are not named beside these, as nobody set them.
 */
export function problemsOf(readings: readonly Reading<unknown>[], derived: Readonly<Record<string, string>> = {}): readonly string[] {
  const byName = new Map<string, string>();
  for (const problem of readings.flatMap((one) => ("problems" in one ? one.problems : []))) {
    const name = problem.split(":", 1)[0] ?? problem;
    byName.set(name, byName.get(name) ?? problem);
  }
  for (const [name, source] of Object.entries(derived)) {
    if (byName.has(source)) {
      byName.delete(name);
    }
  }
  return [...byName.values()];
}
