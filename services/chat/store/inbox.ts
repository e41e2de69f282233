import { GroupCommit } from "../../../platform/group-commit.ts";
import { asking, type Collection, type Db } from "../../../platform/mongo.ts";
import { placeBodies } from "./place-bodies.ts";
import type { InboxDocument } from "./schema.ts";

/** How much waits in an inbox. */
export interface InboxSize {
  readonly messages: number;
  readonly bytes: number;
}

/** A message's place: whose inbox, which message. */
export interface InboxKey {
  readonly recipientId: string;
  readonly id: string;
}

/** The body of one claim: another claim under the same id has another time. */
export interface BodyKey extends InboxKey {
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number;
}

/** Which part of an inbox is read. */
export interface InboxPage {
  /** Messages that are left out. */
  readonly exclude: readonly string[];
  readonly maxMessages: number;
  /** The first message may exceed it. */
  readonly maxBytes: number;
}

/** What the events of an ended message need. */
export type InboxHeading = Pick<InboxDocument, "_id" | "recipientId" | "senderId" | "clientMessageId">;

const HEADING = { recipientId: 1, senderId: 1, clientMessageId: 1 } as const;
/** Few enough that a page of the longest bodies is not read for nothing. */
const CURSOR_BATCH = 64;

/** The bodies that wait, enciphered. Every query names the recipient. */
export class Inbox {
  readonly #inbox: Collection<InboxDocument>;
  readonly #bodies: GroupCommit<InboxDocument, boolean>;
  readonly #sizes: GroupCommit<string, InboxSize>;
  readonly #news: GroupCommit<string, boolean>;

  /** `written` hears how many bodies each write adds. */
  constructor(db: Db, written: (bodies: number) => void = () => undefined) {
    this.#inbox = db.collection<InboxDocument>("inbox");
    this.#bodies = new GroupCommit((documents) => placeBodies(this.#inbox, documents), 256, written);
    this.#sizes = new GroupCommit((recipientIds) => this.#measure(recipientIds));
    this.#news = new GroupCommit((recipientIds) => this.#haveAny(recipientIds));
  }

  /**
   * Adds a body; group-committed. Of one that is there already nothing changes, and what a claim before this one left gives way to it.
   * Answers whether the body of this claim is there: that of a later one does not give way.
   */
  add(document: InboxDocument): Promise<boolean> {
    return this.#bodies.add(document);
  }

  /** How much waits in an inbox; group-committed. */
  measure(recipientId: string): Promise<InboxSize> {
    return this.#sizes.add(recipientId);
  }

  /** Whether the body waits that belongs to the claim of that time. */
  async has({ recipientId, id }: InboxKey, acceptedAt: number): Promise<boolean> {
    const body = { recipientId, _id: id, acceptedAt: new Date(acceptedAt) };
    return (await asking(() => this.#inbox.findOne(body, { projection: { _id: 1 } }))) !== null;
  }

  /** The oldest messages of an inbox within the page's bounds. `exhausted`: nothing else waits. What was durable before the call is seen. */
  async readOldest(recipientId: string, page: InboxPage): Promise<{ documents: InboxDocument[]; exhausted: boolean }> {
    // A socket that begins mostly finds nothing: all that begin at once ask that together. No question that is under way answers for one
    // that comes later, so attach then read holds.
    if (page.exclude.length === 0 && !(await this.#news.add(recipientId))) {
      return { documents: [], exhausted: true };
    }
    const filter = page.exclude.length === 0 ? { recipientId } : { recipientId, _id: { $nin: [...page.exclude] } };
    return asking(async () => {
      // One more than fits, to know whether there is more.
      const limit = page.maxMessages + 1;
      const cursor = this.#inbox.find(filter, { sort: { order: 1, _id: 1 }, limit, batchSize: Math.min(limit, CURSOR_BATCH) });
      const documents: InboxDocument[] = [];
      let bytes = 0;
      for await (const document of cursor) {
        bytes += document.size;
        if (documents.length === page.maxMessages || (documents.length > 0 && bytes > page.maxBytes)) {
          return { documents, exhausted: false };
        }
        documents.push(document);
      }
      return { documents, exhausted: true };
    });
  }

  /** The headings of those messages that wait in the inbox that is named with them. */
  async findHeadings(keys: readonly InboxKey[]): Promise<readonly InboxHeading[]> {
    const recipientIds = [...new Set(keys.map(({ recipientId }) => recipientId))];
    const filter = { recipientId: { $in: recipientIds }, _id: { $in: [...new Set(keys.map(({ id }) => id))] } };
    const found = await asking(() => this.#inbox.find(filter, { projection: HEADING }).toArray());
    const claimed = new Set(keys.map(({ recipientId, id }) => `${recipientId}:${id}`));
    return found.filter(({ recipientId, _id }) => claimed.has(`${recipientId}:${_id}`));
  }

  /** The ids of what waits for some accounts, at most `limit`. */
  async findKeys(recipientIds: readonly string[], limit: number): Promise<readonly InboxKey[]> {
    const filter = { recipientId: { $in: [...recipientIds] } };
    const options = { projection: { recipientId: 1 }, sort: { recipientId: 1, order: 1 }, limit } as const;
    const found = await asking(() => this.#inbox.find(filter, options).toArray());
    return found.map(({ _id, recipientId }) => ({ id: _id, recipientId }));
  }

  /** Removes bodies of claims that are gone; those of other claims under the same ids stay. Repeating it is fine. */
  async discard(bodies: readonly BodyKey[]): Promise<void> {
    if (bodies.length > 0) {
      const operations = bodies.map(({ recipientId, id, acceptedAt }) => ({
        deleteOne: { filter: { recipientId, _id: id, acceptedAt: new Date(acceptedAt) } },
      }));
      await asking(() => this.#inbox.bulkWrite(operations, { ordered: false }));
    }
  }

  /** Messages accepted before a time, at most `limit`, the oldest first. */
  async findAcceptedBefore(time: number, limit: number): Promise<readonly BodyKey[]> {
    const filter = { acceptedAt: { $lt: new Date(time) } };
    const options = { projection: { recipientId: 1, acceptedAt: 1 }, sort: { acceptedAt: 1 }, limit } as const;
    const found = await asking(() => this.#inbox.find(filter, options).toArray());
    return found.map(({ _id, recipientId, acceptedAt }) => ({ id: _id, recipientId, acceptedAt: acceptedAt.getTime() }));
  }

  /** Removes bodies. Repeating it is fine. */
  async remove(keys: readonly InboxKey[]): Promise<void> {
    if (keys.length === 0) {
      return;
    }
    const recipientIds = [...new Set(keys.map(({ recipientId }) => recipientId))];
    const bodies = { recipientId: { $in: recipientIds }, _id: { $in: keys.map(({ id }) => id) } };
    const { deletedCount } = await asking(() => this.#inbox.deleteMany(bodies));
    if (deletedCount >= keys.length) {
      return;
    }
    const passedBy = await asking(() => this.#inbox.find(bodies, { projection: { recipientId: 1 } }).toArray());
    if (passedBy.length > 0) {
      // While the database moves a range to another shard, a removal of many may pass documents by (SERVER-20361); one of each does not.
      const removals = passedBy.map(({ _id, recipientId }) => ({ deleteOne: { filter: { recipientId, _id } } }));
      await asking(() => this.#inbox.bulkWrite(removals, { ordered: false }));
    }
  }

  async #haveAny(recipientIds: readonly string[]): Promise<readonly boolean[]> {
    const waiting = { recipientId: { $in: [...new Set(recipientIds)] } };
    const found = new Set(await asking(() => this.#inbox.distinct("recipientId", waiting)));
    return recipientIds.map((id) => found.has(id));
  }

  async #measure(recipientIds: readonly string[]): Promise<readonly InboxSize[]> {
    const sizes = await asking(() =>
      this.#inbox
        .aggregate<{ _id: string; messages: number; bytes: number }>([
          { $match: { recipientId: { $in: [...new Set(recipientIds)] } } },
          { $group: { _id: "$recipientId", messages: { $sum: 1 }, bytes: { $sum: "$size" } } },
        ])
        .toArray(),
    );
    const byId = new Map(sizes.map((size) => [size._id, size]));
    return recipientIds.map((id) => byId.get(id) ?? { messages: 0, bytes: 0 });
  }
}
