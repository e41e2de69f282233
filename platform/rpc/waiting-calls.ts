import type { RelayReply } from "../../proto/gen/sallyport/relay/v1/relay.ts";
import { SallyportError } from "../errors.ts";
import type { CallOptions } from "./client.ts";
import { fromWireStatus } from "./status.ts";

interface Waiting {
  readonly resolve: (response: Uint8Array) => void;
  readonly reject: (error: SallyportError) => void;
  /** When its deadline passes, by `performance.now()`: a wall clock that is set ends no call. */
  readonly endsAt: number;
}

/** So much later than its deadline a call may end: one timer looks at all that wait, where one for each would cost as much as the call. */
const LOOK_MS = 20;

/** The calls that wait for their replies on one stream, by numbers that are unique on it. */
export class WaitingCalls {
  readonly #givenUp: (id: number) => void;
  readonly #waiting = new Map<number, Waiting>();
  #whenNone: (() => void)[] = [];
  #lastId = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `givenUp` hears of a call whose deadline has passed or that was cancelled. */
  constructor(givenUp: (id: number) => void) {
    this.#givenUp = givenUp;
  }

  /** A call begins: its number, and its answer to come. */
  begin({ deadline, signal }: Pick<CallOptions, "deadline" | "signal">): { readonly id: number; readonly response: Promise<Uint8Array> } {
    const id = this.#nextId();
    const endsAt = performance.now() + deadline - Date.now();
    const response = new Promise<Uint8Array>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, endsAt });
    });
    signal?.addEventListener("abort", () => this.#giveUp(id, "CANCELLED"), { once: true });
    this.#timer ??= setTimeout(() => this.#look(), LOOK_MS);
    return { id, response };
  }

  /** A reply has come; one that nobody waits for is dropped. */
  settle({ callId, code, response, message, details }: RelayReply): void {
    const waiting = this.#take(callId);
    if (code === 0) {
      waiting?.resolve(response);
    } else {
      waiting?.reject(fromWireStatus({ code, message, details }));
    }
  }

  /** Settles when no call waits. */
  none(): Promise<void> {
    return this.#waiting.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenNone.push(resolve));
  }

  /** The stream has ended: no reply will come. */
  failAll(error: SallyportError): void {
    for (const id of [...this.#waiting.keys()]) {
      this.#take(id)?.reject(error);
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    for (const [id, { endsAt }] of this.#waiting) {
      if (endsAt <= now) {
        this.#giveUp(id, "DEADLINE_EXCEEDED");
      }
    }
    this.#timer = this.#waiting.size > 0 ? setTimeout(() => this.#look(), LOOK_MS) : undefined;
  }

  #giveUp(id: number, status: "DEADLINE_EXCEEDED" | "CANCELLED"): void {
    const waiting = this.#take(id);
    if (waiting !== undefined) {
      this.#givenUp(id);
      waiting.reject(status === "CANCELLED" ? cancelled() : new SallyportError(status, "the deadline has passed", { reason: status }));
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0 && this.#whenNone.length > 0) {
      for (const resolve of this.#whenNone.splice(0)) {
        resolve();
      }
    }
    return waiting;
  }

  #nextId(): number {
    do {
      this.#lastId = (this.#lastId + 1) >>> 0;
    } while (this.#waiting.has(this.#lastId));
    return this.#lastId;
  }
}

/** The error of a call that its caller no longer wants. */
export function cancelled(): SallyportError {
  return new SallyportError("CANCELLED", "the call was cancelled", { reason: "CANCELLED" });
}
