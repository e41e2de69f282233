import type { Clock } from "../platform/clock.ts";

/** Something that is looked at now and then. */
export interface Ticking {
  /** Kept by the wheel: the slot that it waits in; 0: in none. */
  dueSlot: number;
  /** Looks at what is due; answers when to look next (milliseconds since the epoch), or nothing to be forgotten. */
  tick(now: number): number | undefined;
}

const SLOT_MS = 50;

/** One timer for all sockets: each waits in one slot of 50 ms for the earliest of what it has to do. */
export class TimerWheel implements Disposable {
  readonly #clock: Clock;
  readonly #slots = new Map<number, Ticking[]>();
  readonly #timer: NodeJS.Timeout;
  #lastSlot: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastSlot = Math.floor(clock() / SLOT_MS);
    this.#timer = setInterval(() => this.turn(), SLOT_MS);
  }

  /** Looks at `ticking` at a time, or earlier when it already waits for an earlier one. */
  schedule(ticking: Ticking, at: number): void {
    const slot = Math.max(Math.ceil(at / SLOT_MS), this.#lastSlot + 1);
    if (ticking.dueSlot !== 0 && ticking.dueSlot <= slot) {
      return;
    }
    ticking.dueSlot = slot;
    const waiting = this.#slots.get(slot);
    if (waiting === undefined) {
      this.#slots.set(slot, [ticking]);
    } else {
      waiting.push(ticking);
    }
  }

  /** Looks at everything that has become due. */
  turn(): void {
    const now = this.#clock();
    const current = Math.floor(now / SLOT_MS);
    // After a long pause most slots in between are empty: go by what is there.
    const due = current - this.#lastSlot > 1000 ? [...this.#slots.keys()].filter((slot) => slot <= current) : undefined;
    const first = this.#lastSlot + 1;
    this.#lastSlot = Math.max(this.#lastSlot, current);
    if (due !== undefined) {
      for (const slot of due) {
        this.#fire(slot, now);
      }
      return;
    }
    for (let slot = first; slot <= current; slot += 1) {
      this.#fire(slot, now);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#slots.clear();
  }

  #fire(slot: number, now: number): void {
    const waiting = this.#slots.get(slot) ?? [];
    this.#slots.delete(slot);
    for (const ticking of waiting) {
      // Those that were put into an earlier slot meanwhile have been looked at.
      if (ticking.dueSlot === slot) {
        ticking.dueSlot = 0;
        const next = ticking.tick(now);
        if (next !== undefined) {
          this.schedule(ticking, next);
        }
      }
    }
  }
}
