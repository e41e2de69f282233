import type { Clock } from "../../../platform/clock.ts";
import { SallyportError } from "../../../platform/errors.ts";
import type { Inbox, InboxSize } from "../store/inbox.ts";
import type { InboxActor } from "./inbox-actor.ts";
import type { InboxState } from "./inbox-state.ts";

/** What an inbox may hold. */
export const INBOX_BOUNDS: InboxSize = { messages: 10_000, bytes: 67_108_864 };

/** What other copies do to an inbox is seen after this time at the latest. */
const FRESH_MS = 5_000;
const MAX_ESTIMATES = 10_000;

/** At most so much waits: what was measured and all that was admitted since. */
interface Estimate extends InboxSize {
  readonly at: number;
}

/** Admits messages to inboxes with room. Exact for what passes one copy: before a refusal everything under way is waited for. */
export class Rooms {
  readonly #inbox: Inbox;
  readonly #bounds: InboxSize;
  readonly #now: Clock;
  readonly #estimates = new Map<string, Estimate>();

  constructor(inbox: Inbox, bounds: InboxSize, now: Clock) {
    this.#inbox = inbox;
    this.#bounds = bounds;
    this.#now = now;
  }

  /** One caller at a time for each inbox. @throws RESOURCE_EXHAUSTED, reason INBOX_FULL. */
  async admit(actor: InboxActor, size: number): Promise<void> {
    const known = this.#estimates.get(actor.accountId);
    if (known !== undefined && this.#now() - known.at < FRESH_MS && this.#fits(known, size)) {
      this.#admit(actor.accountId, known, size);
      return;
    }
    // What is under way may be counted twice here: never too little.
    const rough = sum(await this.#measure(actor.accountId), underWay(actor.state));
    if (this.#fits(rough, size)) {
      this.#admit(actor.accountId, rough, size);
      return;
    }
    await actor.settled();
    const exact = await this.#measure(actor.accountId);
    if (!this.#fits(exact, size)) {
      throw new SallyportError("RESOURCE_EXHAUSTED", "the recipient's inbox is full", { reason: "INBOX_FULL" });
    }
    this.#admit(actor.accountId, exact, size);
  }

  #fits({ messages, bytes }: InboxSize, size: number): boolean {
    return messages < this.#bounds.messages && bytes + size <= this.#bounds.bytes;
  }

  #admit(accountId: string, { messages, bytes, at }: Estimate, size: number): void {
    this.#estimates.delete(accountId);
    this.#estimates.set(accountId, { messages: messages + 1, bytes: bytes + size, at });
    if (this.#estimates.size > MAX_ESTIMATES) {
      const [oldest] = this.#estimates.keys();
      this.#estimates.delete(oldest ?? "");
    }
  }

  async #measure(accountId: string): Promise<Estimate> {
    const at = this.#now();
    return { ...(await this.#inbox.measure(accountId)), at };
  }
}

function sum(estimate: Estimate, { messages, bytes }: InboxSize): Estimate {
  return { messages: estimate.messages + messages, bytes: estimate.bytes + bytes, at: estimate.at };
}

function underWay({ entries }: InboxState): InboxSize {
  const sizes = [...entries.values()].map(({ message }) => message.body.length);
  return { messages: sizes.length, bytes: sizes.reduce((total, size) => total + size, 0) };
}
