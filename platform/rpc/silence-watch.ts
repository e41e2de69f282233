/** How often a peer is asked for a sign of life. */
export const TICK_MS = 1_000;

/** A peer is given up after so many ticks in a row in which nothing came. */
const SILENT_TICKS = 5;

/** What is done on a tick: the peer is asked, or known to be silent. */
export interface SilenceActions {
  ask(): void;
  silent(): void;
}

/** Finds out that nothing comes from a peer any more. It counts its own ticks, not time: a process that was paused itself blames nobody. */
export class SilenceWatch implements Disposable {
  readonly #actions: SilenceActions;
  readonly #timer: NodeJS.Timeout;
  #hasHeard = false;
  #silentTicks = 0;

  constructor(actions: SilenceActions, tickMs: number = TICK_MS) {
    this.#actions = actions;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Something has come. */
  heard(): void {
    this.#hasHeard = true;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#silentTicks = this.#hasHeard ? 0 : this.#silentTicks + 1;
    this.#hasHeard = false;
    if (this.#silentTicks < SILENT_TICKS) {
      this.#actions.ask();
    } else {
      clearInterval(this.#timer);
      this.#actions.silent();
    }
  }
}
