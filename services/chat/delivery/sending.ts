import type { Clock } from "../../../platform/clock.ts";
import { SallyportError } from "../../../platform/errors.ts";
import { derivedUuid, uuidBytes } from "../../../platform/ids.ts";
import type { Directory } from "../directory.ts";
import type { Receipts } from "../receipts/receipts.ts";
import type { Blocks } from "../store/blocks.ts";
import type { SendRecord, Sends } from "../store/sends.ts";
import { type Custody, idReused } from "./custody.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import type { InboxActor } from "./inbox-actor.ts";
import { isTaken } from "./inbox-state.ts";
import type { Inboxes } from "./inboxes.ts";
import type { Accepted, ChatMessage } from "./message.ts";
import type { Rooms } from "./rooms.ts";
import type { Wakes } from "./wakes.ts";

/** What a sender asks for; ids in lower case. */
export interface Send {
  readonly senderId: string;
  readonly recipientId: string;
  readonly clientMessageId: string;
  readonly body: Buffer;
  /** Milliseconds since the epoch: not accepted later. */
  readonly deadline: number;
}

/** An accepted message and what was decided about it. */
export interface Sent {
  readonly message: ChatMessage;
  readonly accepted: Accepted;
}

/** What sending needs. */
export interface SendingParts {
  readonly inboxes: Inboxes;
  readonly wakes: Pick<Wakes, "send">;
  readonly custody: Custody;
  readonly sends: Sends;
  readonly blocks: Blocks;
  readonly directory: Directory;
  readonly rooms: Rooms;
  readonly receipts: Receipts;
  readonly hybridClock: HybridClock;
  /** The clock that the calls' deadlines are measured by. */
  readonly deadlineNow: Clock;
}

/** The id of a message: the same send has the same id on any copy. */
export function messageIdOf(senderId: string, clientMessageId: string): string {
  return derivedUuid(uuidBytes(senderId), uuidBytes(clientMessageId));
}

/** Accepts messages, each once. */
export class Sending {
  readonly #parts: SendingParts;
  /** Parallel repeats meet here. */
  readonly #accepting = new Map<string, Promise<Sent>>();

  constructor(parts: SendingParts) {
    this.#parts = parts;
  }

  /** Accepts a message, or answers its repeat as the first was. Messages of one sender to one recipient keep the order of these calls. */
  async send(send: Send): Promise<Sent> {
    const id = messageIdOf(send.senderId, send.clientMessageId);
    for (let first = this.#accepting.get(id); first !== undefined; first = this.#accepting.get(id)) {
      const sent = await first.catch((error: unknown) => ({ error }));
      if ("message" in sent) {
        requireSame(sent.message, send);
        return sent;
      }
    }
    const accepting = this.#accept(id, send).finally(() => this.#accepting.delete(id));
    this.#accepting.set(id, accepting);
    return accepting;
  }

  #accept(id: string, { deadline, ...send }: Send): Promise<Sent> {
    const { inboxes, receipts, hybridClock, sends } = this.#parts;
    const message = receipts.sign({ id, ...send, order: hybridClock.next() });
    const inbox = inboxes.of(send.recipientId);
    const turn = inbox.sends.enter();
    let socket = inbox.state.current?.epoch;
    const earlier = sends.find(id);
    const reachable = this.#requireReachable(send);
    // Whoever repeats a message is not asked for more than the repeat.
    reachable.catch(() => undefined);
    return inbox.hold(async () => {
      let accepted: Promise<Accepted>;
      try {
        let known = await earlier;
        if (known !== undefined) {
          return { message, accepted: await this.#repeat(inbox, known, message) };
        }
        // Whoever has had it may have acknowledged it: its sender is not refused any more.
        const taken = isTaken(inbox.state, id);
        if (!taken) {
          await reachable;
        }
        await turn.reached;
        if (!taken) {
          await this.#parts.rooms.admit(inbox, message.body.length);
        }
        while (inbox.state.current !== undefined && inbox.state.current.epoch !== socket) {
          // A socket that has come since: before it, another copy may have delivered the message to an older one.
          socket = inbox.state.current.epoch;
          known = await sends.find(id);
          if (known !== undefined) {
            return { message, accepted: await this.#repeat(inbox, known, message) };
          }
        }
        this.#requireTime(deadline);
        requireSame(inbox.state.entries.get(id)?.message ?? message, send);
        accepted = inbox.offer(message);
      } finally {
        turn.leave();
      }
      return { message, accepted: await this.#told(inbox, await accepted) };
    });
  }

  async #repeat(inbox: InboxActor, known: SendRecord, message: ChatMessage): Promise<Accepted> {
    const accepted = await this.#parts.custody.repeat(known, message);
    if (accepted.state === "stored") {
      inbox.handle({ kind: "woken" });
    }
    return this.#told(inbox, accepted);
  }

  /** Stored, then looked: whoever has the recipient's events, wherever that is, knows before the sender has its answer. */
  async #told(inbox: InboxActor, accepted: Accepted): Promise<Accepted> {
    if (accepted.state === "stored") {
      await this.#parts.wakes.send(inbox);
    }
    return accepted;
  }

  /** An unknown recipient and one who blocked the sender look alike, in the time that it takes to say so too. */
  async #requireReachable({ senderId, recipientId }: Omit<Send, "deadline">): Promise<void> {
    const { directory, blocks } = this.#parts;
    const isBelieved = directory.believes(recipientId);
    const [exists, isBlocked] = await Promise.all([directory.exists(recipientId), blocks.has(recipientId, senderId)]);
    if (isBlocked && isBelieved) {
      await directory.existsNow(recipientId);
    }
    if (!exists || isBlocked) {
      throw new SallyportError("NOT_FOUND", "there is no such recipient", { reason: "RECIPIENT_NOT_FOUND" });
    }
  }

  #requireTime(deadline: number): void {
    if (this.#parts.deadlineNow() >= deadline) {
      throw new SallyportError("DEADLINE_EXCEEDED", "the deadline has passed", { reason: "DEADLINE_EXCEEDED" });
    }
  }
}

function requireSame(message: ChatMessage, { recipientId, body }: Omit<Send, "deadline">): void {
  if (message.recipientId !== recipientId || !message.body.equals(body)) {
    throw idReused();
  }
}
