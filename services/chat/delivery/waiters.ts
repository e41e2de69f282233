interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Promises by message: everyone who waits for one is answered at once. */
export class Waiters<T> {
  readonly #waiting = new Map<string, Waiter<T>[]>();

  /** Waits for a message. */
  add(id: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const others = this.#waiting.get(id);
      if (others === undefined) {
        this.#waiting.set(id, [{ resolve, reject }]);
      } else {
        others.push({ resolve, reject });
      }
    });
  }

  resolve(id: string, value: T): void {
    for (const { resolve } of this.#take(id)) {
      resolve(value);
    }
  }

  reject(id: string, error: unknown): void {
    for (const { reject } of this.#take(id)) {
      reject(error);
    }
  }

  rejectAll(error: unknown): void {
    for (const id of [...this.#waiting.keys()]) {
      this.reject(id, error);
    }
  }

  #take(id: string): readonly Waiter<T>[] {
    const waiting = this.#waiting.get(id) ?? [];
    this.#waiting.delete(id);
    return waiting;
  }
}
