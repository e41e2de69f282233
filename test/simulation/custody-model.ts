import { acceptedAtOf, type HybridClock, orderAt } from "../../services/chat/delivery/hybrid-clock.ts";
import type { Accepted, ChatMessage } from "../../services/chat/delivery/message.ts";
import type { SendRow } from "./database.ts";
import { ID_REUSED, OUTAGE } from "./failures.ts";
import type { MessageStore } from "./message-store.ts";
import type { Process, Task } from "./timeline.ts";
import type { World } from "./world.ts";

/** What a page of an inbox may hold, and what it leaves out. */
export interface PageBounds {
  readonly exclude: readonly string[];
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** What custody is made of. */
export interface CustodyParts {
  readonly process: Process;
  readonly store: MessageStore;
  readonly hybridClock: HybridClock;
  readonly delivered: (messages: readonly ChatMessage[]) => void;
}

/** As services/chat/delivery/custody.ts, step by step: messages in the two collections. */
export class CustodyModel {
  readonly #world: World;
  readonly #parts: CustodyParts;
  readonly #cursors = new Map<string, number>();

  constructor(world: World, parts: CustodyParts) {
    this.#world = world;
    this.#parts = parts;
  }

  *store(message: ChatMessage): Task<Accepted> {
    const { store } = this.#parts;
    const earlier = yield* store.claim(message, "pending");
    if (earlier !== undefined) {
      requireSame(earlier, message);
      return earlier.state === "pending" ? yield* this.#repair(earlier, message) : acceptedAs(earlier);
    }
    const claim = { ...message, acceptedAt: acceptedAtOf(message.order), state: "pending" } as const;
    if (this.#world.flaw === "answers-before-the-body") {
      this.#world.timeline.spawn(store.addBody(message), undefined, () => undefined);
      return acceptedAs(claim);
    }
    return yield* this.#answerPlaced(claim, message, yield* store.addBody(message));
  }

  *record(message: ChatMessage): Task<Accepted> {
    const { store, delivered } = this.#parts;
    const earlier = yield* store.claim(message, "delivered");
    if (earlier === undefined) {
      delivered([message]);
      return { state: "delivered", acceptedAt: acceptedAtOf(message.order), receiptKid: "k" };
    }
    requireSame(earlier, message);
    const isFirst = earlier.state === "pending" && (yield* store.deliver([message.id])).includes(message.id);
    yield* store.removeBodies(message.recipientId, [message.id]);
    if (isFirst) {
      delivered([message]);
    }
    return acceptedAs({ ...earlier, state: "delivered" });
  }

  *repeat(earlier: SendRow, message: ChatMessage): Task<Accepted> {
    requireSame(earlier, message);
    const isWhole = earlier.state !== "pending" || (yield* this.#parts.store.hasBody(message, earlier.acceptedAt));
    return isWhole ? acceptedAs(earlier) : yield* this.#repair(earlier, message);
  }

  *forget(recipientId: string, ids: readonly string[]): Task<readonly string[]> {
    const { store, delivered } = this.#parts;
    const headings = yield* store.findHeadings(recipientId, ids);
    if (headings.length === 0) {
      return ids;
    }
    const waiting = headings.map(({ id }) => id);
    const ended = this.#world.flaw === "forgets-without-the-ledger" ? [] : yield* store.deliver(waiting);
    try {
      yield* store.removeBodies(recipientId, waiting);
    } finally {
      delivered(headings.filter(({ id }) => ended.includes(id)));
    }
    return ids.filter((id) => !waiting.includes(id));
  }

  *read(recipientId: string, page: PageBounds): Task<{ readonly messages: readonly ChatMessage[]; readonly exhausted: boolean }> {
    const { store, hybridClock } = this.#parts;
    const { flaw } = this.#world;
    if (page.exclude.length === 0 && !(yield* store.hasAny(recipientId))) {
      return { messages: [], exhausted: true };
    }
    const cursor = flaw === "reads-by-a-cursor" ? (this.#cursors.get(recipientId) ?? 0) : 0;
    const { documents, exhausted } = yield* store.readOldest(recipientId, page.exclude, page, cursor);
    this.#cursors.set(recipientId, documents.at(-1)?.order ?? cursor);
    if (documents.length === 0) {
      return { messages: documents, exhausted };
    }
    const messages = flaw === "believes-the-page" ? documents : yield* this.#claimed(recipientId, documents);
    for (const { order } of messages) {
      hybridClock.see(order);
    }
    return { messages, exhausted };
  }

  /** A socket begins anew. */
  forgetCursor(recipientId: string): void {
    this.#cursors.delete(recipientId);
  }

  /** Those whose claim is pending; the bodies of others go. */
  *#claimed(recipientId: string, documents: readonly ChatMessage[]): Task<readonly ChatMessage[]> {
    const { store } = this.#parts;
    const claims = yield* store.findAll(documents.map(({ id }) => id));
    const isClaimed = ({ id, order }: ChatMessage): boolean =>
      claims.get(id)?.state === "pending" && claims.get(id)?.acceptedAt === acceptedAtOf(order);
    const stray = documents.filter((document) => !isClaimed(document));
    yield* store.removeBodies(
      recipientId,
      stray.map(({ id }) => id),
    );
    return documents.filter(isClaimed);
  }

  *#repair(earlier: SendRow, message: ChatMessage): Task<Accepted> {
    const { store } = this.#parts;
    const isPlaced = yield* store.addBody({ ...message, order: orderAt(earlier.acceptedAt) });
    return yield* this.#answerPlaced(earlier, message, isPlaced && (yield* store.confirm(earlier)));
  }

  /** Its claim may have been ended by an acknowledgement by now. */
  *#answerPlaced(claim: SendRow, message: ChatMessage, isPlaced: boolean): Task<Accepted> {
    const { store } = this.#parts;
    if (isPlaced) {
      return acceptedAs(claim);
    }
    const latest = yield* store.find(message.id);
    if (latest === undefined || latest.state === "pending") {
      throw OUTAGE;
    }
    yield* store.removeBodies(message.recipientId, [message.id]);
    return acceptedAs(latest);
  }
}

function requireSame(earlier: SendRow, { recipientId, body }: ChatMessage): void {
  if (earlier.recipientId !== recipientId || earlier.body !== body) {
    throw ID_REUSED;
  }
}

function acceptedAs({ state, acceptedAt }: SendRow): Accepted {
  return { state: state === "pending" ? "stored" : state, acceptedAt, receiptKid: "k" };
}
