import { setTimeout as sleep } from "node:timers/promises";

/** Something that runs until it is disposed of, and where it can be reached. */
export interface Running extends AsyncDisposable {
  readonly address: string;
  /** Settles only when it can no longer do its work; rejects with the reason. */
  readonly failed?: Promise<never>;
}

/** Disposes of everything that was added, last first. Node 20 has no AsyncDisposableStack. */
export class Disposables implements AsyncDisposable {
  readonly #stack: (() => unknown)[] = [];

  /** Adds what must be undone. */
  defer(undo: () => unknown): void {
    this.#stack.push(undo);
  }

  /** Adds something that disposes of itself, and hands it back. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.#stack.push(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let undo = this.#stack.pop(); undo !== undefined; undo = this.#stack.pop()) {
      await undo();
    }
  }
}

/** Waits for work, so many milliseconds at most; what it comes to later is nobody's any more. Rejects when it fails before. */
export async function atMost(ms: number, work: PromiseLike<unknown>): Promise<void> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
  try {
    await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
