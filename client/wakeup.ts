/** Lets waiting code go on when something may have changed. */
export class Wakeup {
  #waiting = new Set<() => void>();

  /** Wakes everyone that waits now. */
  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resume of waiting) {
      resume();
    }
  }

  /** Resolves at the next `wake`, or when the signal aborts. */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const resume = (): void => {
        this.#waiting.delete(resume);
        signal?.removeEventListener("abort", resume);
        resolve();
      };
      this.#waiting.add(resume);
      signal?.addEventListener("abort", resume, { once: true });
      if (signal?.aborted) {
        resume();
      }
    });
  }
}
