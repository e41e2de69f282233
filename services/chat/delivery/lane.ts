/** A place in a lane. */
export interface Turn {
  /** Everyone who entered before has left. */
  readonly reached: Promise<unknown>;
  leave(): void;
}

/** Lets callers pass one after the other, in the order in which they entered. */
export class Lane {
  #tail: Promise<unknown> = Promise.resolve();

  enter(): Turn {
    const reached = this.#tail;
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.#tail = reached.then(() => left);
    return { reached, leave };
  }

  /** Runs something in its turn. */
  async run<T>(action: () => Promise<T> | T): Promise<T> {
    const turn = this.enter();
    try {
      await turn.reached;
      return await action();
    } finally {
      turn.leave();
    }
  }
}
