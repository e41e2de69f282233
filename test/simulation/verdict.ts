import type { Timeline } from "./timeline.ts";

/** What a history showed to be wrong. */
export class Violation extends Error {
  /** In kebab-case: which promise was broken. */
  readonly promise: string;

  constructor(promise: string, text: string) {
    super(`${promise}: ${text}`);
    this.promise = promise;
  }
}

/** Whether a history keeps all promises. */
export class Verdict {
  readonly #timeline: Timeline;
  /** The first promise that was broken. */
  violation: Violation | undefined;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** A promise is broken: the history ends here, also where a task catches what is thrown. */
  fail(promise: string, text: string): never {
    this.#timeline.log?.(`VIOLATION ${promise}: ${text}`);
    this.violation ??= new Violation(promise, text);
    this.#timeline.isStopped = true;
    throw this.violation;
  }
}
