import type { Clock } from "../platform/clock.ts";
import { SallyportError } from "../platform/errors.ts";

/** Something to be told to a service about a socket that has closed. Repeating it is fine. */
export type CleanupTask = () => Promise<unknown>;

const RETRY_MS = 500;
const AT_ONCE = 1024;
/** Beyond this, some of the oldest are left to the end of the gateway's lease. */
const MAX_QUEUED = 200_000;
/** Many at a time: to find the first of a set, V8 passes all that were deleted before it. */
const LEFT_AT_ONCE = 10_000;

/** Tells the services what has closed: at once, and again until they have heard it, or have said that they never will. */
export class Cleanup implements Disposable {
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  /** In the order in which they are tried. */
  readonly #queue = new Set<{ readonly task: CleanupTask; readonly notBefore: number }>();
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
      task().catch((error: unknown) => {
        if (!isFinal(error)) {
          this.#enqueue(task, 0);
        }
      });
    }
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearInterval(this.#timer);
    this.#queue.clear();
  }

  #enqueue(task: CleanupTask, notBefore: number): void {
    if (this.#disposed) {
      return;
    }
    this.#queue.add({ task, notBefore });
    if (this.#queue.size > MAX_QUEUED) {
      this.#leaveOldest();
    }
  }

  #leaveOldest(): void {
    for (const entry of this.#queue) {
      this.#queue.delete(entry);
      if (this.#queue.size <= MAX_QUEUED - LEFT_AT_ONCE) {
        return;
      }
    }
  }

  #retry(): void {
    const now = this.#clock();
    let tried = 0;
    for (const entry of this.#queue) {
      if (tried === AT_ONCE) {
        return;
      }
      if (entry.notBefore <= now) {
        tried += 1;
        this.#queue.delete(entry);
        this.add(entry.task);
      }
    }
  }
}

/** Whether a service will give the same answer whenever it is asked. */
function isFinal(error: unknown): boolean {
  const status = error instanceof SallyportError ? error.status : undefined;
  return status === "INVALID_ARGUMENT" || status === "NOT_FOUND" || status === "UNIMPLEMENTED";
}
