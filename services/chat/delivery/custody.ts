import type { Clock } from "../../../platform/clock.ts";
import { SallyportError } from "../../../platform/errors.ts";
import { GroupCommit } from "../../../platform/group-commit.ts";
import type { Sealer } from "../at-rest/sealer.ts";
import type { Receipts } from "../receipts/receipts.ts";
import type { Erasures } from "../store/erasures.ts";
import type { Inbox, InboxHeading, InboxKey, InboxPage } from "../store/inbox.ts";
import type { InboxDocument } from "../store/schema.ts";
import type { Claim, SendRecord, Sends } from "../store/sends.ts";
import type { Digester } from "./digester.ts";
import { acceptedAtOf, type HybridClock, orderAt } from "./hybrid-clock.ts";
import type { Accepted, ChatMessage } from "./message.ts";
import type { Unreadable } from "./unreadable.ts";

/** A message that was acknowledged for the first time. */
export interface Delivery {
  readonly messageId: string;
  readonly clientMessageId: string;
  readonly senderId: string;
  readonly recipientId: string;
  /** Milliseconds since the epoch. */
  readonly deliveredAt: number;
}

/** What custody needs. */
export interface CustodyParts {
  readonly sends: Sends;
  readonly inbox: Inbox;
  readonly erasures: Pick<Erasures, "has">;
  readonly sealer: Sealer;
  readonly receipts: Receipts;
  readonly digester: Digester;
  readonly hybridClock: HybridClock;
  readonly now: Clock;
  readonly delivered: (deliveries: readonly Delivery[]) => void;
  /** Bodies that cannot be opened. */
  readonly unreadable: Unreadable;
}

/** One operation of the database names at most so many messages. */
const MAX_FORGOTTEN = 1_000;

/** Messages in the two collections: claimed in the ledger, kept in the inbox, ended in both. */
export class Custody {
  readonly #parts: CustodyParts;
  readonly #forgetting: GroupCommit<readonly InboxKey[], undefined>;

  constructor(parts: CustodyParts) {
    this.#parts = parts;
    this.#forgetting = new GroupCommit(async (batch) => {
      const keys = batch.flat();
      for (let start = 0; start < keys.length; start += MAX_FORGOTTEN) {
        await this.#forgetAll(keys.slice(start, start + MAX_FORGOTTEN));
      }
      return batch.map(() => undefined);
    }, 256);
  }

  /** Keeps a message until it is acknowledged. A repeat is answered as the first was. @throws ALREADY_EXISTS when the id is another message's. */
  async store(message: ChatMessage): Promise<Accepted> {
    const earlier = await this.#parts.sends.claim(this.#claim(message));
    if (earlier !== undefined) {
      await this.#requireSame(earlier, message);
      return earlier.state === "pending" ? this.#repair(earlier, message) : acceptedAs(earlier);
    }
    await this.#parts.inbox.add(this.#seal(message));
    return { state: "stored", acceptedAt: acceptedAtOf(message.order), receiptKid: message.receiptKid };
  }

  /** Writes a message down as delivered whose body was never stored. @throws as `store`. */
  async record(message: ChatMessage): Promise<Accepted> {
    const { sends, inbox, now, delivered } = this.#parts;
    const at = now();
    const earlier = await sends.claimDelivered(this.#claim(message), at);
    const delivery = toDelivery({ ...message, _id: message.id }, at);
    if (earlier === undefined) {
      delivered([delivery]);
      return { state: "delivered", acceptedAt: acceptedAtOf(message.order), receiptKid: message.receiptKid };
    }
    await this.#requireSame(earlier, message);
    const isFirst = earlier.state === "pending" && (await sends.deliver([message.id], at)).has(message.id);
    await inbox.remove([message]);
    if (isFirst) {
      delivered([delivery]);
    }
    return acceptedAs({ ...earlier, state: earlier.state === "pending" ? "delivered" : earlier.state });
  }

  /** Answers a repeat from what the ledger knows; a claim whose body was lost gets it back. @throws ALREADY_EXISTS as `store`. */
  async repeat(earlier: SendRecord, message: ChatMessage): Promise<Accepted> {
    await this.#requireSame(earlier, message);
    const isWhole = earlier.state !== "pending" || (await this.#parts.inbox.has(message));
    return isWhole ? acceptedAs(earlier) : this.#repair(earlier, message);
  }

  /** Ends messages as delivered that wait in the named inbox; others are passed over. Group-committed. */
  forget(recipientId: string, ids: readonly string[]): Promise<void> {
    return this.#forgetting.add(ids.map((id) => ({ recipientId, id })));
  }

  /** The oldest messages of an inbox that can be read; others stay in it. What a crash left behind of ended ones is removed instead. */
  async read(recipientId: string, page: InboxPage): Promise<{ messages: readonly ChatMessage[]; exhausted: boolean }> {
    const exclude = [...page.exclude];
    for (;;) {
      const { documents, exhausted } = await this.#parts.inbox.readOldest(recipientId, { ...page, exclude });
      const opened = await Promise.all((await this.#withoutEnded(recipientId, documents)).map((document) => this.#tryOpen(document)));
      const leftOut = opened.flatMap((one) => ("unreadable" in one ? [one.unreadable] : []));
      if (leftOut.length === 0) {
        return { messages: opened.flatMap((one) => ("unreadable" in one ? [] : [one])), exhausted };
      }
      // The page again, with others in their place: an inbox that begins with many of them is not blocked.
      exclude.push(...leftOut);
    }
  }

  async #withoutEnded(recipientId: string, documents: readonly InboxDocument[]): Promise<readonly InboxDocument[]> {
    if (documents.length === 0) {
      return [];
    }
    const { inbox, sends, hybridClock } = this.#parts;
    const ended = new Set(await sends.findEnded(documents.map(({ _id }) => _id)));
    await inbox.remove([...ended].map((id) => ({ recipientId, id })));
    const waiting = documents.filter(({ _id }) => !ended.has(_id));
    for (const { order } of waiting) {
      hybridClock.see(order);
    }
    return waiting;
  }

  async #tryOpen(document: InboxDocument): Promise<ChatMessage | { readonly unreadable: string }> {
    const { unreadable } = this.#parts;
    try {
      const message = await this.#open(document);
      unreadable.drop(document._id);
      return message;
    } catch (error) {
      if (error instanceof SallyportError && error.status === "UNAVAILABLE") {
        // A passing fault, of which the page is tried again: leaving the message out would change the order.
        throw error;
      }
      unreadable.add(document._id, error);
      return { unreadable: document._id };
    }
  }

  async #forgetAll(keys: readonly InboxKey[]): Promise<void> {
    const { sends, inbox, now, delivered } = this.#parts;
    const headings = await inbox.findHeadings(keys);
    if (headings.length === 0) {
      return;
    }
    const at = now();
    const ids = headings.map(({ _id }) => _id);
    const ended = await sends.deliver(ids, at);
    try {
      await inbox.remove(headings.map(({ _id, recipientId }) => ({ id: _id, recipientId })));
    } finally {
      // Told in any case: once the ledger says so, nobody says it again.
      delivered(headings.filter(({ _id }) => ended.has(_id)).map((heading) => toDelivery(heading, at)));
    }
  }

  /** The body may have been taken away by an acknowledgement rather than lost: the ledger is asked again once it is back. */
  async #repair(earlier: SendRecord, message: ChatMessage): Promise<Accepted> {
    const { sends, inbox, erasures, now } = this.#parts;
    const order = orderAt(earlier.acceptedAt);
    await inbox.add(this.#seal({ ...message, order, receiptKid: earlier.receiptKid }));
    // Stored, then looked; an erasure is written down, then looks for what is stored: one of the two sees the other.
    if (await erasures.has(message.recipientId)) {
      await sends.erase([message.id], now());
    }
    const latest = (await sends.findAll([message.id])).get(message.id) ?? earlier;
    if (latest.state !== "pending") {
      await inbox.remove([message]);
    }
    return acceptedAs(latest);
  }

  async #requireSame({ digest, digestKid }: SendRecord, message: ChatMessage): Promise<void> {
    if (!(await this.#parts.digester.matches(message, digest, digestKid))) {
      throw idReused();
    }
  }

  #claim(message: ChatMessage): Claim {
    const { id, order, receiptKid } = message;
    return { id, acceptedAt: acceptedAtOf(order), receiptKid, ...this.#parts.digester.digest(message) };
  }

  #seal({ id, recipientId, senderId, clientMessageId, order, body, receiptKid }: ChatMessage): InboxDocument {
    const acceptedAt = new Date(acceptedAtOf(order));
    const sealed = this.#parts.sealer.seal(id, body);
    return { _id: id, recipientId, senderId, clientMessageId, acceptedAt, order, size: body.length, receiptKid, sealed };
  }

  async #open({ _id: id, recipientId, senderId, clientMessageId, order, receiptKid, sealed }: InboxDocument): Promise<ChatMessage> {
    const body = await this.#parts.sealer.open(id, sealed);
    return this.#parts.receipts.signAgain({ id, recipientId, senderId, clientMessageId, order, body }, receiptKid);
  }
}

/** The id of a message is another one's. */
export function idReused(): SallyportError {
  return new SallyportError("ALREADY_EXISTS", "the client message id was used for another message", {
    reason: "CLIENT_MESSAGE_ID_REUSED",
  });
}

function acceptedAs({ state, acceptedAt, receiptKid }: SendRecord): Accepted {
  return { state: state === "pending" ? "stored" : state, acceptedAt, receiptKid };
}

function toDelivery({ _id, clientMessageId, senderId, recipientId }: InboxHeading, deliveredAt: number): Delivery {
  return { messageId: _id, clientMessageId, senderId, recipientId, deliveredAt };
}
