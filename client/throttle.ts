import type { CallError } from "./call-error.ts";
import { type AttemptKind, type AttemptOutcome, attempted, fullBudget, isFree, paceMs, type RetryBudget, settled } from "./retry-budget.ts";
import type { Surroundings } from "./surroundings.ts";

interface Waiting {
  readonly kind: AttemptKind;
  readonly go: () => void;
}

/** After each answer so many first attempts go that were held back while the service seemed to be down. */
const RELEASED_AT_ONCE = 2;

/** Lets the attempts of a client's calls to one service go, or has them wait with others: see retry-budget.ts. */
export class Throttle {
  readonly #surroundings: Pick<Surroundings, "now" | "after">;
  /** In the order in which they go. */
  readonly #waiting = new Set<Waiting>();
  #budget: RetryBudget = fullBudget;
  #lastFailure: unknown;
  #stopTimer: (() => void) | undefined;
  #timerAt = 0;

  constructor(surroundings: Pick<Surroundings, "now" | "after">) {
    this.#surroundings = surroundings;
  }

  /** What the last attempt failed with; undefined when it was answered. */
  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  /** An attempt has ended, and what it failed with, if it did. */
  settled(outcome: AttemptOutcome, error?: unknown): void {
    this.#budget = settled(this.#budget, outcome, this.#surroundings.now());
    if (outcome !== "none") {
      this.#lastFailure = error;
    }
    if (outcome === "answered") {
      this.#releaseFirst(RELEASED_AT_ONCE);
      this.#releaseRepeats();
      this.#keepPace();
    }
  }

  /** Runs `go` once an attempt may be made, perhaps at once. The result takes it back. */
  whenAllowed(kind: AttemptKind, go: () => void): () => void {
    const entry = { kind, go };
    if (isFree(this.#budget, kind, this.#surroundings.now()) && !(kind === "first" && this.#holdsFirst())) {
      this.#let(entry);
      this.#releaseRepeats();
    } else {
      this.#waiting.add(entry);
      this.#keepPace();
    }
    return () => {
      this.#waiting.delete(entry);
      this.#keepPace();
    };
  }

  /** Resolves once an attempt may be made; undefined when it may at once. Rejects with what the signal aborts with. */
  allowed(kind: AttemptKind, signal: AbortSignal): Promise<void> | undefined {
    let isAllowed = false;
    let resume = (): void => {
      isAllowed = true;
    };
    const takeBack = this.whenAllowed(kind, () => resume());
    if (isAllowed) {
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        takeBack();
        reject(signal.reason as CallError);
      };
      resume = () => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) {
        abort();
      }
    });
  }

  /** Whether a call waits to be made at all: one that is made later goes behind it, as calls go out in the order in which they are made. */
  #holdsFirst(): boolean {
    for (const { kind } of this.#waiting) {
      if (kind === "first") {
        return true;
      }
    }
    return false;
  }

  #let(entry: Waiting): void {
    this.#waiting.delete(entry);
    this.#budget = attempted(this.#budget, entry.kind, this.#surroundings.now());
    entry.go();
  }

  #releaseFirst(count: number): void {
    const held = [...this.#waiting].filter(({ kind }) => kind === "first");
    for (const entry of held.slice(0, count)) {
      this.#let(entry);
    }
  }

  #releaseRepeats(): void {
    for (const entry of this.#waiting) {
      if (!isFree(this.#budget, "repeat", this.#surroundings.now())) {
        return;
      }
      if (entry.kind !== "first") {
        this.#let(entry);
      }
    }
  }

  /** Has the first of those who wait go in due time, whatever the budget says. */
  #keepPace(): void {
    if (this.#waiting.size === 0) {
      this.#stopTimer?.();
      this.#stopTimer = undefined;
      return;
    }
    const ms = paceMs(this.#budget);
    const at = this.#surroundings.now() + ms;
    if (this.#stopTimer === undefined || at < this.#timerAt) {
      this.#stopTimer?.();
      this.#timerAt = at;
      this.#stopTimer = this.#surroundings.after(ms, () => this.#letNext());
    }
  }

  #letNext(): void {
    this.#stopTimer = undefined;
    const [entry] = this.#waiting;
    if (entry !== undefined) {
      this.#let(entry);
    }
    this.#keepPace();
  }
}

/** The throttles of a client: what one service suffers from holds up no call to the other. */
export class Throttles {
  readonly #surroundings: Pick<Surroundings, "now" | "after">;
  readonly #byOwner = new Map<string, Throttle>();

  constructor(surroundings: Pick<Surroundings, "now" | "after">) {
    this.#surroundings = surroundings;
  }

  /** The one for the calls to a service. */
  of(owner: string): Throttle {
    const throttle = this.#byOwner.get(owner) ?? new Throttle(this.#surroundings);
    this.#byOwner.set(owner, throttle);
    return throttle;
  }
}
