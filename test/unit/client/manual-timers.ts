import type { After } from "../../../client/surroundings.ts";

/** A timer that was set. */
export interface ManualTimer {
  readonly ms: number;
  readonly run: () => void;
}

/** Timers that run when the test says so; those of 0 ms run by themselves. */
export class ManualTimers {
  readonly #timers = new Set<ManualTimer>();
  #wake: () => void = () => undefined;

  readonly after: After = (ms, run) => {
    if (ms === 0) {
      const immediate = setImmediate(run);
      return () => clearImmediate(immediate);
    }
    const timer = {
      ms,
      run: () => {
        this.#timers.delete(timer);
        run();
      },
    };
    this.#timers.add(timer);
    this.#wake();
    return () => this.#timers.delete(timer);
  };

  /** The delays of the timers that are set. */
  get delays(): number[] {
    return [...this.#timers].map(({ ms }) => ms);
  }

  /** Waits until a timer of that delay is set. */
  set(ms: number): Promise<ManualTimer> {
    return this.#find((timer) => timer.ms === ms);
  }

  /** Waits until a timer of at most that delay is set. */
  within(ms: number): Promise<ManualTimer> {
    return this.#find((timer) => timer.ms <= ms);
  }

  async #find(isWanted: (timer: ManualTimer) => boolean): Promise<ManualTimer> {
    for (;;) {
      const timer = [...this.#timers].find(isWanted);
      if (timer !== undefined) {
        return timer;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
