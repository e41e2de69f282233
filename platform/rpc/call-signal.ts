/** Tells that the one who made a call no longer wants its answer. An AbortSignal is one. */
export interface CancelSignal {
  readonly aborted: boolean;
  /** At most one listener for each signal of `CallSignal`. */
  addEventListener(type: "abort", listener: () => void, options?: { once: boolean }): void;
}

/** The signal of one call, with its switch: an AbortController for each would be a quarter of what a call costs. */
export class CallSignal implements CancelSignal {
  aborted = false;
  #listener: (() => void) | undefined;

  /** Takes the one listener. */
  addEventListener(_type: "abort", listener: () => void): void {
    this.#listener = listener;
  }

  /** The answer is no longer wanted. Only the first time counts. */
  abort(): void {
    if (!this.aborted) {
      this.aborted = true;
      this.#listener?.();
    }
  }
}
