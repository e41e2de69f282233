import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Latency } from "../task.ts";

/** How a load is measured: it runs in, is counted for a while, and runs out. */
export interface WindowTimes {
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

/** What is told at the edges of the counting, so that others take their readings then. */
export interface WindowEdges {
  readonly began: () => void;
  readonly ended: () => void;
}

const LONGEST_US = 120_000_000;

/** Counts operations, and how long they took, while the measured time runs. */
export class MeasuredWindow {
  /** Resolves when the measured time is over. */
  readonly over: Promise<void>;
  readonly #latencies: RecordableHistogram = createHistogram({ lowest: 1, highest: LONGEST_US, figures: 3 });
  #operations = 0;
  #isCounting = false;
  #isOver = false;
  #beganAt = Number.POSITIVE_INFINITY;
  #measuredMs = 0;

  constructor({ warmUpMs, measuredMs }: WindowTimes, { began, ended }: WindowEdges) {
    this.over = new Promise((resolve) => {
      setTimeout(() => {
        this.#isCounting = true;
        this.#beganAt = performance.now();
        began();
        setTimeout(() => {
          this.#isCounting = false;
          this.#isOver = true;
          this.#measuredMs = performance.now() - this.#beganAt;
          ended();
          resolve();
        }, measuredMs);
      }, warmUpMs);
    });
  }

  /** Whether nothing new is to be begun. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get operations(): number {
    return this.#operations;
  }

  /** The length of the measured time, once it is over. */
  get seconds(): number {
    return this.#measuredMs / 1000;
  }

  get latency(): Latency {
    const at = (percentile: number): number => this.#latencies.percentile(percentile) / 1000;
    return { p50: at(50), p99: at(99), p999: at(99.9) };
  }

  /** An operation has ended that was meant to begin at a time of `performance.now()`: it counts where that was in the measured time. */
  countMeant(meantAt: number, endedAt: number): void {
    const isMeasured = meantAt >= this.#beganAt && (!this.#isOver || meantAt < this.#beganAt + this.#measuredMs);
    if (isMeasured) {
      this.#operations += 1;
      this.#latencies.record(Math.max(1, Math.round((endedAt - meantAt) * 1000)));
    }
  }

  /** An operation has ended that took so many milliseconds. */
  count(tookMs: number): void {
    if (this.#isCounting) {
      this.#operations += 1;
      this.#latencies.record(Math.max(1, Math.round(tookMs * 1000)));
    }
  }
}
