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
  readonly #timer: NodeJS.Timeout;
  /** In the order in which they are tried. */
  readonly #queue = new Set<CleanupTask>();
  #underWay = 0;
  #settled: (() => void) | undefined;
  #disposed = false;

  constructor() {
    this.#timer = setInterval(() => this.#retry(), RETRY_MS);
  }

  /** Runs a task until it works. */
  add(task: CleanupTask): void {
    if (this.#disposed) {
      return;
    }
    void this.#run(task);
  }

  /** Resolves when no task is under way; those that wait for another try are left. */
  async settle(): Promise<void> {
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#settled = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearInterval(this.#timer);
    this.#queue.clear();
  }

  async #run(task: CleanupTask): Promise<void> {
    this.#underWay += 1;
    try {
      await task();
    } catch (error) {
      if (!isFinal(error)) {
        this.#enqueue(task);
      }
    }
    this.#underWay -= 1;
    if (this.#underWay === 0) {
      this.#settled?.();
    }
  }

  #enqueue(task: CleanupTask): void {
    if (this.#disposed) {
      return;
    }
    this.#queue.add(task);
    if (this.#queue.size > MAX_QUEUED) {
      this.#leaveOldest();
    }
  }

  #leaveOldest(): void {
    for (const task of this.#queue) {
      this.#queue.delete(task);
      if (this.#queue.size <= MAX_QUEUED - LEFT_AT_ONCE) {
        return;
      }
    }
  }

  #retry(): void {
    let tried = 0;
    for (const task of this.#queue) {
      if (tried === AT_ONCE) {
        return;
      }
      tried += 1;
      this.#queue.delete(task);
      this.add(task);
    }
  }
}

/** Whether a service will give the same answer whenever it is asked. */
function isFinal(error: unknown): boolean {
  const status = error instanceof SallyportError ? error.status : undefined;
  return status === "INVALID_ARGUMENT" || status === "NOT_FOUND" || status === "UNIMPLEMENTED";
}
