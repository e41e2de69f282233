import type { After } from "../../../client/surroundings.ts";

/** Time that passes when the test says so, and the timers on it. */
export class VirtualTime {
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();
  /** Timers that ran. */
  ran = 0;
  #now = 0;

  readonly now = (): number => this.#now;

  readonly after: After = (ms, run) => {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and runs what becomes due, earliest first. */
  pass(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until).toSorted((one, other) => one.at - other.at);
      if (next === undefined) {
        this.#now = until;
        return;
      }
      this.#now = next.at;
      this.#timers.delete(next);
      this.ran += 1;
      next.run();
    }
  }
}
