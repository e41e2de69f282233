/** The timers of one inbox: how long messages linger, and what is tried again later. */
export class InboxTimers {
  readonly #lingering = new Map<string, NodeJS.Timeout>();
  readonly #retries = new Set<NodeJS.Timeout>();

  /** Whether something is to be tried again. */
  get isRetrying(): boolean {
    return this.#retries.size > 0;
  }

  /** Calls back once a message has lingered, unless that ends before. */
  linger(id: string, ms: number, lingered: () => void): void {
    const timer = setTimeout(() => {
      this.#lingering.delete(id);
      lingered();
    }, ms);
    this.#lingering.set(id, timer);
  }

  /** A message lingers no longer. */
  endLinger(id: string): void {
    clearTimeout(this.#lingering.get(id));
    this.#lingering.delete(id);
  }

  /** Calls back later. */
  retry(ms: number, due: () => void): void {
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      due();
    }, ms);
    this.#retries.add(timer);
  }

  /** Nothing calls back any more. */
  stop(): void {
    for (const timer of [...this.#lingering.values(), ...this.#retries]) {
      clearTimeout(timer);
    }
  }
}
