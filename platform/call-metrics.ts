import type { StatusName } from "./errors.ts";
import { StatusCode } from "./errors.ts";
import { type LabelSets, type Metrics, UNKNOWN } from "./metrics.ts";

/** Counts calls and how long they took. */
export interface CallMetrics {
  /** A call has been answered that began at a moment of `performance.now()`; `more` are the values of further labels. */
  answered(path: string, status: StatusName, startedAt: number, ...more: string[]): void;
}

/** Upper bounds of how long calls take, in seconds. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Metrics of calls: `<prefix>_total` by method and status, `<prefix>_duration_seconds` by method. */
export function createCallMetrics(
  metrics: Metrics,
  prefix: string,
  what: string,
  paths: Iterable<string>,
  more: LabelSets = {},
): CallMetrics {
  const method = [...paths, UNKNOWN];
  const total = metrics.counter(`${prefix}_total`, `${what}.`, { method, status: Object.keys(StatusCode), ...more });
  const duration = metrics.histogram(`${prefix}_duration_seconds`, `${what}: how long they took.`, SECONDS, { method });
  return {
    answered: (path, status, startedAt, ...values) => {
      total.add(1, path, status, ...values);
      duration.observe((performance.now() - startedAt) / 1000, path);
    },
  };
}
