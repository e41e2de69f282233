import type { Clock } from "../../../platform/clock.ts";
import { SallyportError, unavailable } from "../../../platform/errors.ts";
import { GroupCommit } from "../../../platform/group-commit.ts";
import type { Sealer } from "../at-rest/sealer.ts";
import type { Receipts } from "../receipts/receipts.ts";
import type { Erasures } from "../store/erasures.ts";
import type { BodyKey, Inbox, InboxHeading, InboxKey, InboxPage } from "../store/inbox.ts";
import type { InboxDocument } from "../store/schema.ts";
import type { Claim, SendRecord, Sends } from "../store/sends.ts";
import { CONFIRMED_AFTER_MS } from "./claim-age.ts";
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
  readonly #forgetting: GroupCommit<readonly InboxKey[], readonly string[]>;

  constructor(parts: CustodyParts) {
    this.#parts = parts;
    this.#forgetting = new GroupCommit<readonly InboxKey[], readonly string[]>(async (batch) => {
      const keys = batch.flat();
      const found = new Set<string>();
      for (let start = 0; start < keys.length; start += MAX_FORGOTTEN) {
        for (const id of await this.#forgetAll(keys.slice(start, start + MAX_FORGOTTEN))) {
          found.add(id);
        }
      }
      return batch.map((part) => part.flatMap(({ id }) => (found.has(id) ? [] : [id])));
    }, 256);
  }

  /** Keeps a message until it is acknowledged. A repeat is answered as the first was. @throws ALREADY_EXISTS when the id is another message's. */
  async store(message: ChatMessage): Promise<Accepted> {
    const { sends, inbox, hybridClock } = this.#parts;
    // A claim of that time may have been given up already, and is not made again.
    const fresh = this.#isOld(acceptedAtOf(message.order)) ? { ...message, order: hybridClock.next() } : message;
    const claim = this.#claim(fresh);
    const earlier = await sends.claim(claim);
    if (earlier !== undefined) {
      await this.#requireSame(earlier, message);
      return earlier.state === "pending" ? this.#repair(earlier, message) : acceptedAs(earlier);
    }
    const isPlaced = await inbox.add(this.#seal(fresh));
    return this.#answerPlaced({ ...claim, state: "pending" }, message, isPlaced, this.#isOld(claim.acceptedAt));
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
    if (earlier.state === "pending" && !isFirst) {
      // It was ended by somebody else, or given up: then nothing is written of this delivery yet.
      return this.record(message);
    }
    await inbox.remove([message]);
    if (isFirst) {
      delivered([delivery]);
    }
    return acceptedAs({ ...earlier, state: isFirst ? "delivered" : earlier.state });
  }

  /** Answers a repeat from what the ledger knows; a claim whose body was lost gets it back. @throws ALREADY_EXISTS as `store`. */
  async repeat(earlier: SendRecord, message: ChatMessage): Promise<Accepted> {
    await this.#requireSame(earlier, message);
    if (earlier.state !== "pending") {
      return acceptedAs(earlier);
    }
    const { acceptedAt } = earlier;
    return (await this.#parts.inbox.has(message, acceptedAt))
      ? this.#answerPlaced(earlier, message, true, this.#isOld(acceptedAt))
      : this.#repair(earlier, message);
  }

  /** Ends messages as delivered that wait in the named inbox; others are passed over, and answered. Group-committed. */
  forget(recipientId: string, ids: readonly string[]): Promise<readonly string[]> {
    return this.#forgetting.add(ids.map((id) => ({ recipientId, id })));
  }

  /** The oldest messages of an inbox that can be read; others stay in it. What a crash left behind without a claim is removed instead. */
  async read(recipientId: string, page: InboxPage): Promise<{ messages: readonly ChatMessage[]; exhausted: boolean }> {
    const exclude = [...page.exclude];
    for (;;) {
      const { documents, exhausted } = await this.#parts.inbox.readOldest(recipientId, { ...page, exclude });
      const opened = await Promise.all((await this.#claimed(documents)).map((document) => this.#tryOpen(document)));
      const leftOut = opened.flatMap((one) => ("unreadable" in one ? [one.unreadable] : []));
      if (leftOut.length === 0) {
        return { messages: opened.flatMap((one) => ("unreadable" in one ? [] : [one])), exhausted };
      }
      // The page again, with others in their place: an inbox that begins with many of them is not blocked.
      exclude.push(...leftOut);
    }
  }

  /** Those whose claim is pending. The claim of another one is ended or given up for good, as it was there before its body: the body goes. */
  async #claimed(documents: readonly InboxDocument[]): Promise<readonly InboxDocument[]> {
    if (documents.length === 0) {
      return [];
    }
    const { inbox, sends, hybridClock } = this.#parts;
    const claims = await sends.findStates(documents.map(({ _id }) => _id));
    const unclaimed = documents.filter((document) => !isClaimedBy(document, claims.get(document._id)));
    // Rare, and no body is removed on the word of a member of the database that may be cut off.
    const doubtful = unclaimed.filter(({ _id }) => (claims.get(_id)?.state ?? "pending") === "pending");
    const claimed = await sends.findPending(doubtful.map(toBodyKey));
    const stray = new Set(unclaimed.filter(({ _id }) => !claimed.has(_id)));
    await inbox.discard([...stray].map(toBodyKey));
    const waiting = documents.filter((document) => !stray.has(document));
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

  /** Answers those that waited. */
  async #forgetAll(keys: readonly InboxKey[]): Promise<readonly string[]> {
    const { sends, inbox, now, delivered } = this.#parts;
    const headings = await inbox.findHeadings(keys);
    if (headings.length === 0) {
      return [];
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
    return ids;
  }

  async #repair(earlier: SendRecord, message: ChatMessage): Promise<Accepted> {
    const { sends, inbox, erasures, now } = this.#parts;
    const order = orderAt(earlier.acceptedAt);
    const isPlaced = await inbox.add(this.#seal({ ...message, order, receiptKid: earlier.receiptKid }));
    // Stored, then looked; an erasure is written down, then looks for what is stored: one of the two sees the other.
    if (await erasures.has(message.recipientId)) {
      await sends.erase([message.id], now());
    }
    return this.#answerPlaced(earlier, message, isPlaced, true);
  }

  /**
   * Answers once the body is in. Its claim may be gone by then: ended by an acknowledgement, so the body goes again; or given up for want
   * of the body, so the message is claimed anew. Where that is possible at all, a write confirms that it is not so.
   */
  async #answerPlaced(claim: SendRecord, message: ChatMessage, isPlaced: boolean, isDoubtful: boolean): Promise<Accepted> {
    const { sends, inbox, hybridClock } = this.#parts;
    if (isPlaced && (!isDoubtful || (await sends.confirm(claim)))) {
      return acceptedAs(claim);
    }
    const latest = (await sends.findAll([message.id])).get(message.id);
    if (latest === undefined || (latest.state === "pending" && latest.acceptedAt !== claim.acceptedAt)) {
      return this.store({ ...message, order: hybridClock.next() });
    }
    if (latest.state === "pending") {
      // The body of a claim that is gone, by a clock that is far ahead, has its place until a check of the ledger removes it.
      throw unavailable("the message cannot be kept yet", "BODY_NOT_PLACED");
    }
    await inbox.remove([message]);
    return acceptedAs(latest);
  }

  /** Whether a check of the ledger may soon give up a claim of that time, or has. */
  #isOld(acceptedAt: number): boolean {
    return this.#parts.now() - acceptedAt > CONFIRMED_AFTER_MS;
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

function isClaimedBy({ acceptedAt }: InboxDocument, claim: Pick<SendRecord, "state" | "acceptedAt"> | undefined): boolean {
  return claim?.state === "pending" && claim.acceptedAt === acceptedAt.getTime();
}

function toBodyKey({ _id, recipientId, acceptedAt }: InboxDocument): BodyKey {
  return { id: _id, recipientId, acceptedAt: acceptedAt.getTime() };
}

function toDelivery({ _id, clientMessageId, senderId, recipientId }: InboxHeading, deliveredAt: number): Delivery {
  return { messageId: _id, clientMessageId, senderId, recipientId, deliveredAt };
}
