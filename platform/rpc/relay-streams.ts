/** The relay streams of a server that stand, so that it can take its leave of every gateway. */
export class RelayStreams {
  readonly #standing = new Set<() => void>();
  #isLeaving = false;
  #whenNone: (() => void) | undefined;

  /** Whether the server stops: no further stream is to stand. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** A stream stands; `tellLeaving` tells its gateway that the server stops. */
  add(tellLeaving: () => void): void {
    this.#standing.add(tellLeaving);
  }

  /** A stream has ended. */
  remove(tellLeaving: () => void): void {
    this.#standing.delete(tellLeaving);
    if (this.#standing.size === 0) {
      this.#whenNone?.();
    }
  }

  /** Tells every gateway that the server stops; settles when all have ended their streams. Called once. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    for (const tellLeaving of this.#standing) {
      tellLeaving();
    }
    if (this.#standing.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenNone = resolve;
      });
    }
  }
}
