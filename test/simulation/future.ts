import type { Task, Timeline } from "./timeline.ts";

type State<T> =
  | { readonly kind: "due" }
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown };

const DUE = { kind: "due" } as const;

/** What a promise is to the real code: whoever waits goes on when what happens at the moment is done. */
export class Future<T> {
  readonly #timeline: Timeline;
  #state: State<T> = DUE;
  #waiting: [(value: T) => void, (error: unknown) => void][] = [];

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  readonly resolve = (value: T): void => {
    if (this.#state.kind === "due") {
      this.#state = { kind: "done", value };
      for (const [resume] of this.#take()) {
        this.#timeline.soon(() => resume(value));
      }
    }
  };

  readonly reject = (error: unknown): void => {
    if (this.#state.kind === "due") {
      this.#state = { kind: "failed", error };
      for (const [, fail] of this.#take()) {
        this.#timeline.soon(() => fail(error));
      }
    }
  };

  *wait(): Task<T> {
    const state = this.#state;
    switch (state.kind) {
      case "done":
        return state.value;
      case "failed":
        throw state.error;
      case "due":
        return (yield (resume, fail) => this.#waiting.push([resume, fail])) as T;
    }
  }

  #take(): readonly [(value: T) => void, (error: unknown) => void][] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}

/** A place in a lane. */
export interface Turn {
  /** Everyone who entered before has left. */
  readonly reached: Future<undefined>;
  leave(): void;
}

/** As services/chat/delivery/lane.ts: callers pass one after the other, in the order in which they entered. */
export class Lane {
  readonly #timeline: Timeline;
  readonly #turns: { readonly reached: Future<undefined>; hasLeft: boolean }[] = [];

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  enter(): Turn {
    const turn = { reached: new Future<undefined>(this.#timeline), hasLeft: false };
    this.#turns.push(turn);
    if (this.#turns[0] === turn) {
      turn.reached.resolve(undefined);
    }
    const leave = (): void => {
      turn.hasLeft = true;
      this.#moveOn();
    };
    return { reached: turn.reached, leave };
  }

  #moveOn(): void {
    while (this.#turns[0]?.hasLeft) {
      this.#turns.shift();
      this.#turns[0]?.reached.resolve(undefined);
    }
  }
}
