import type { Clock } from "../../../platform/clock.ts";
import type { ChatEvents } from "../events.ts";
import type { Inbox } from "../store/inbox.ts";
import type { Presence } from "../store/presence.ts";
import type { Holder } from "../store/schema.ts";
import type { InboxActor } from "./inbox-actor.ts";
import type { Inboxes } from "./inboxes.ts";
import { landGone } from "./landing.ts";
import { MAX_IN_FLIGHT } from "./page.ts";

/** What waking needs. */
export interface WakesParts {
  readonly inboxes: Inboxes;
  readonly inbox: Inbox;
  readonly presence: Pick<Presence, "find">;
  /** This run of this process. */
  readonly copy: string;
  readonly events: Pick<ChatEvents, "wakeSent" | "wakeReceived" | "wakeLost">;
  readonly now: Clock;
}

/** Nobody waits longer than this for the presence: the round of the copy that delivers heals what was not woken. */
const LOOK_MS = 1_000;
/** A socket that was the account's current one is taken for it so long: a newer one's gateway tells of the change meanwhile. */
const BELIEVED_MS = 1_000;

/** Tells the copy that delivers to an account, over the gateway of its socket, what came to pass in the inbox through this one. */
export class Wakes {
  readonly #parts: WakesParts;
  /** When the attachment of an epoch here was last known to be the account's current one. */
  readonly #believed = new WeakMap<InboxActor, { readonly epoch: number; readonly at: number }>();
  /** Where room is looked for; whether it has to be looked for again. */
  readonly #landing = new Map<InboxActor, boolean>();

  constructor(parts: WakesParts) {
    this.#parts = parts;
  }

  /** The socket of an epoch here was made the account's current one. */
  believe(actor: InboxActor, epoch: number): void {
    this.#believed.set(actor, { epoch, at: this.#parts.now() });
  }

  /**
   * What is durable in the inbox concerns whoever has the account's events, and that may be another copy: settles once its gateway is told.
   * Call it after the write, never before: whoever attaches in between reads it. Never rejects.
   */
  async send(actor: InboxActor): Promise<void> {
    if (this.#isCurrent(actor)) {
      return;
    }
    const { presence, copy, events } = this.#parts;
    let holder: Holder | undefined;
    try {
      holder = await within(LOOK_MS, presence.find(actor.accountId));
    } catch {
      events.wakeLost();
      return;
    }
    if (holder === undefined) {
      return;
    }
    if (holder.copy === copy) {
      this.believe(actor, holder.epoch);
      return;
    }
    actor.outdate(holder);
    this.#wake(actor.accountId, holder);
  }

  /** Another copy has stored or ended something in an inbox: what is new is read, and what is gone makes room. */
  receive(actor: InboxActor): void {
    this.#parts.events.wakeReceived();
    actor.handle({ kind: "woken" });
    if ((actor.state.current?.inFlight.size ?? 0) >= MAX_IN_FLIGHT) {
      void this.#land(actor);
    }
  }

  #isCurrent(actor: InboxActor): boolean {
    const { current } = actor.state;
    const believed = this.#believed.get(actor);
    return current !== undefined && believed?.epoch === current.epoch && this.#parts.now() - believed.at < BELIEVED_MS;
  }

  #wake(accountId: string, { incarnation, connection, copy }: Holder): void {
    const { inboxes, events } = this.#parts;
    const gateway = inboxes.gateway(incarnation);
    if (gateway !== undefined) {
      gateway.wake(connection);
      events.wakeSent();
      return;
    }
    // The way to that gateway is cut: whoever reaches the copy passes it on. Where nobody does, a newer message may overtake this one.
    for (const other of inboxes.gateways()) {
      other.wakeAt(copy, accountId);
    }
    events.wakeLost();
  }

  async #land(actor: InboxActor): Promise<void> {
    const isLanding = this.#landing.has(actor);
    this.#landing.set(actor, true);
    if (isLanding) {
      return;
    }
    try {
      while (this.#landing.get(actor)) {
        this.#landing.set(actor, false);
        await landGone(actor, actor.state.current?.epoch ?? 0, this.#parts.inbox);
      }
    } catch {
      // The database could not be asked: the next round looks again.
    } finally {
      this.#landing.delete(actor);
    }
  }
}

/** @throws Error when it takes longer. */
function within<T>(ms: number, asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("it took too long")), ms);
    asked.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
