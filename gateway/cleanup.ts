import type { Clock } from "../platform/clock.ts";

/** Something to be told to a service about a socket that has closed. Repeating it is fine. */
export type CleanupTask = () => Promise<unknown>;

const RETRY_MS = 500;
const AT_ONCE = 1024;
/** Beyond this, the oldest are left to the end of the gateway's lease. */
const MAX_QUEUED = 200_000;

/** Tells the services what has closed: at once, and again until they have heard it. */
export class Cleanup implements Disposable {
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  #queue: { task: CleanupTask; notBefore: number }[] = [];
  #disposed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = setInterval(() => this.#retry(), RETRY_MS);
  }

  /** Runs a task, not before a time (milliseconds since the epoch), until it works. */
  add(task: CleanupTask, notBefore = 0): void {
    if (this.#disposed) {
      return;
    }
    if (notBefore > this.#clock()) {
      this.#enqueue(task, notBefore);
    } else {
      task().catch(() => this.#enqueue(task, 0));
    }
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearInterval(this.#timer);
    this.#queue = [];
  }

  #enqueue(task: CleanupTask, notBefore: number): void {
    if (!this.#disposed) {
      this.#queue.push({ task, notBefore });
      if (this.#queue.length > MAX_QUEUED) {
        this.#queue.shift();
      }
    }
  }

  #retry(): void {
    const now = this.#clock();
    const tried = this.#queue.filter(({ notBefore }) => notBefore <= now).slice(0, AT_ONCE);
    if (tried.length > 0) {
      const taken = new Set(tried);
      this.#queue = this.#queue.filter((entry) => !taken.has(entry));
      for (const { task } of tried) {
        this.add(task);
      }
    }
  }
}
