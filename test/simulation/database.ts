import type { Family } from "../../services/account/tokens/family.ts";
import type { ChatMessage } from "../../services/chat/delivery/message.ts";
import type { PresenceState } from "../../services/chat/delivery/presence-rules.ts";
import type { Random } from "../fuzz/random.ts";
import { OUTAGE } from "./failures.ts";
import type { Plan } from "./plan.ts";
import type { Process, Task, Timeline } from "./timeline.ts";

/** A document of the ledger. */
export interface SendRow {
  readonly id: string;
  state: "pending" | "delivered";
  readonly acceptedAt: number;
  /** Stands for the digest. */
  readonly recipientId: string;
  readonly body: Buffer;
}

/** A document of the sessions, with the family of its one service. */
export interface SessionRow {
  readonly id: number;
  readonly accountId: string;
  family: Family;
  revokedAt: number | undefined;
}

/** How long the driver waits for a primary. */
const SELECTION_MS = 2_000;

/**
 * One replica set, as far as its clients can tell: the write of one document is atomic, what is answered is on a majority, and an operation
 * that fails may have been done. Operations of one process pass each other.
 */
export class Database {
  readonly sends: Map<string, SendRow> = new Map();
  readonly inbox: Map<string, ChatMessage> = new Map();
  readonly presence: Map<string, PresenceState> = new Map();
  readonly sessions: SessionRow[] = [];
  readonly blocks: Set<string> = new Set();
  /** There is no primary until then. */
  outageUntil = 0;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #plan: Plan;
  #isQuiet = false;

  constructor(timeline: Timeline, random: Random, plan: Plan) {
    this.#timeline = timeline;
    this.#random = random;
    this.#plan = plan;
  }

  /** From here on nothing fails. */
  calmDown(): void {
    this.#isQuiet = true;
    this.outageUntil = 0;
  }

  /** One operation of a process: takes effect at a moment of its way, if it does. */
  *ask<T>(owner: Process, effect: () => T): Task<T> {
    return (yield (resume, fail) => {
      this.#timeline.after(this.#delay(), undefined, () => this.#take(owner, effect, resume, fail));
    }) as T;
  }

  #take<T>(owner: Process, effect: () => T, resume: (value: T) => void, fail: (error: unknown) => void): void {
    const timeline = this.#timeline;
    if (timeline.now < this.outageUntil) {
      if (this.outageUntil - timeline.now < SELECTION_MS) {
        timeline.at(this.outageUntil + this.#random.below(50), undefined, () => this.#take(owner, effect, resume, fail));
      } else {
        timeline.after(SELECTION_MS, owner, () => fail(OUTAGE));
      }
      return;
    }
    const isLossy = !this.#isQuiet && this.#plan.lossPercent > 0 && this.#random.below(100) < this.#plan.lossPercent;
    if (isLossy && this.#random.below(2) === 0) {
      timeline.after(this.#delay(), owner, () => fail(OUTAGE));
      return;
    }
    const value = effect();
    timeline.after(this.#delay(), owner, isLossy ? () => fail(OUTAGE) : () => resume(value));
  }

  #delay(): number {
    const { slowMs } = this.#plan;
    return this.#random.below(8) === 0 && !this.#isQuiet ? this.#random.below(slowMs) : 1 + this.#random.below(4);
  }
}
