import { asking, type Collection, type Db } from "../../../platform/mongo.ts";
import type { BodyKey, InboxKey } from "./inbox.ts";
import { linearizable } from "./linearizable.ts";
import type { InboxDocument, SendDocument } from "./schema.ts";
import { LIFETIME_MS, MEMORY_MS } from "./sends.ts";

/** What a claim says of itself. Times in milliseconds since the epoch. */
export interface ClaimView {
  readonly id: string;
  readonly state: SendDocument["state"];
  readonly acceptedAt: number;
  readonly expiresAt: number | undefined;
  readonly hasPurgeDate: boolean;
}

/** Whose body, and its place in the inbox. */
export interface BodyHeading extends InboxKey {
  readonly order: number;
}

type DateField = "expiresAt" | "expiredAt" | "deletedAt";

/** How many messages the ledger holds in each state. */
export type LedgerCounts = Readonly<Record<SendDocument["state"], number>>;

/** One answer of the database, with one more to spare: nothing is lost with a cursor. */
const PAGE = { limit: 1_000, batchSize: 1_001 } as const;
/** The first characters of ids, in order. */
const STARTS = [..."0123456789abcdef"];
/** What is counted by dates is counted in parts of about so many, so that each answer comes well before its deadline. */
const COUNTED = 1_000_000;
const MAX_PARTS = 64;
/** Before and after all dates. */
const [BEGINNING, END] = [0, 8_640_000_000_000_000];
const CLAIM = { state: 1, acceptedAt: 1, expiresAt: 1, purgeAt: 1 } as const;
/** As a bound it leaves out documents without the field, and the partial index of those that have it answers by itself. */
const SET = { $gte: new Date(0) };

/** Ledger and inboxes as a whole: what counts them, checks them against each other, and mends them. Not for the path of a message. */
export class Ledger {
  readonly #db: Db;
  readonly #sends: Collection<SendDocument>;
  readonly #inbox: Collection<InboxDocument>;
  readonly #counted: number;

  /** `counted`: how many are counted at a time. */
  constructor(db: Db, counted: number = COUNTED) {
    this.#db = db;
    this.#counted = counted;
    this.#sends = db.collection<SendDocument>("sends");
    this.#inbox = db.collection<InboxDocument>("inbox");
  }

  /** Whether there is a ledger at all. */
  async exists(): Promise<boolean> {
    return (await asking(() => this.#db.listCollections({ name: "sends" }, { nameOnly: true }).toArray())).length > 0;
  }

  /** The present by the clock of the database. */
  async now(): Promise<number> {
    const { localTime } = await asking(() => this.#db.command({ hello: 1 }));
    return (localTime as Date).getTime();
  }

  /** How many messages there are in each state. An estimate is cheap, and right while the database has not crashed. */
  async count(total: "exact" | "estimated"): Promise<LedgerCounts> {
    return asking(async () => {
      const estimate = await this.#sends.estimatedDocumentCount();
      const parts = Math.min(MAX_PARTS, Math.ceil(estimate / this.#counted) || 1);
      const [pending, expired, deleted, all] = await Promise.all([
        this.#countDated("expiresAt", parts),
        this.#countDated("expiredAt", parts),
        this.#countDated("deletedAt", parts),
        total === "exact" ? this.#countAll() : this.#sends.estimatedDocumentCount(),
      ]);
      return { pending, delivered: Math.max(0, all - pending - expired - deleted), expired, deleted };
    });
  }

  /** When the message was accepted that waits longest; undefined when none waits. */
  async findOldestPending(): Promise<number | undefined> {
    const oldest = await asking(() => this.#findDate("expiresAt", 1));
    return oldest && oldest - LIFETIME_MS;
  }

  /** Pending claims that were made before a time, the oldest first. */
  async *pendingClaims(before: number): AsyncGenerator<readonly ClaimView[]> {
    let last = new Date(0);
    let seen: readonly string[] = [];
    for (;;) {
      const due = { expiresAt: { $gte: last, $lt: new Date(before + LIFETIME_MS) }, _id: { $nin: [...seen] } };
      const options = { sort: { expiresAt: 1 }, ...PAGE, projection: CLAIM } as const;
      const page = await asking(() => this.#sends.find(due, options).toArray());
      const end = page.at(-1)?.expiresAt;
      if (end === undefined) {
        return;
      }
      yield page.map(toView);
      const atEnd = page.filter(({ expiresAt }) => expiresAt?.getTime() === end.getTime()).map(({ _id }) => _id);
      seen = end.getTime() === last.getTime() ? [...seen, ...atEnd] : atEnd;
      last = end;
    }
  }

  /** Claims that would be kept for ever: pending without an end, or ended without a time to be forgotten at. */
  async *undatedClaims(): AsyncGenerator<readonly ClaimView[]> {
    let last = "";
    for (;;) {
      const undated = { purgeAt: { $exists: false }, expiresAt: { $exists: false }, _id: { $gt: last } };
      // By the index that has them together with the pending ones, rather than by the one of the ids, through everything.
      const options = { sort: { _id: 1 }, ...PAGE, projection: CLAIM, hint: { purgeAt: 1 } } as const;
      const page = await asking(() => this.#sends.find(undated, options).toArray());
      const end = page.at(-1);
      if (end === undefined) {
        return;
      }
      yield page.map(toView);
      last = end._id;
    }
  }

  /** All bodies, by recipient, without their contents. */
  async *bodies(): AsyncGenerator<readonly BodyHeading[]> {
    let after = {};
    for (;;) {
      // The index answers by itself: no body is read.
      const options = { sort: { recipientId: 1, order: 1, _id: 1 }, ...PAGE, projection: { recipientId: 1, order: 1 } } as const;
      const page = await asking(() => this.#inbox.find(after, options).toArray());
      const end = page.at(-1);
      if (end === undefined) {
        return;
      }
      yield page.map(({ _id: id, recipientId, order }) => ({ id, recipientId, order }));
      const { recipientId, order, _id } = end;
      const next = [
        { recipientId: { $gt: recipientId } },
        { recipientId, order: { $gt: order } },
        { recipientId, order, _id: { $gt: _id } },
      ];
      after = { $or: next };
    }
  }

  /** The claims of messages, by id. */
  async findClaims(ids: readonly string[]): Promise<ReadonlyMap<string, ClaimView>> {
    const found = await asking(() => this.#sends.find({ _id: { $in: [...ids] } }, { projection: CLAIM }).toArray());
    return new Map(found.map((document) => [document._id, toView(document)]));
  }

  /** The bodies of messages. */
  async findBodies(ids: readonly string[]): Promise<readonly BodyKey[]> {
    const options = { projection: { recipientId: 1, acceptedAt: 1 } } as const;
    const found = await asking(() => this.#inbox.find({ _id: { $in: [...ids] } }, options).toArray());
    return found.map(({ _id: id, recipientId, acceptedAt }) => ({ id, recipientId, acceptedAt: acceptedAt.getTime() }));
  }

  /** Which of the messages have a body. */
  async findWithBody(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await asking(() => this.#inbox.find({ _id: { $in: [...ids] } }, { projection: { _id: 1 } }).toArray());
    return new Set(found.map(({ _id }) => _id));
  }

  /**
   * Removes pending claims that are older than `ageMs` by the clock of the database and have no body. First the claims are read that are
   * old, then the bodies looked for, then the claims removed as they were read: whoever brings a body after it was looked for, and so to a
   * claim that was old already, changes the claim by confirming it. Repeating it is fine.
   */
  async giveUp(claims: readonly Pick<ClaimView, "id" | "acceptedAt">[], ageMs: number): Promise<void> {
    if (claims.length === 0) {
      return;
    }
    const ids = { $in: claims.map(({ id }) => id) };
    const isOld = { $lt: ["$acceptedAt", { $subtract: ["$$NOW", ageMs] }] };
    const old = { _id: ids, state: "pending" as const, $expr: isOld };
    const seen = await asking(() => this.#sends.find(old, { projection: { acceptedAt: 1, batch: 1 } }).toArray());
    const surely = { projection: { acceptedAt: 1 }, ...linearizable(claims.length) } as const;
    const bodies = await asking(() => this.#inbox.find({ _id: ids }, surely).toArray());
    const whole = new Set(bodies.map(({ _id, acceptedAt }) => `${_id} ${acceptedAt.getTime()}`));
    const removals = seen
      .filter(({ _id, acceptedAt }) => !whole.has(`${_id} ${acceptedAt.getTime()}`))
      .map(({ _id, acceptedAt, batch = { $exists: false } }) => ({ _id, acceptedAt, state: "pending" as const, batch }))
      .map((filter) => ({ deleteOne: { filter } }));
    if (removals.length > 0) {
      await asking(() => this.#sends.bulkWrite(removals, { ordered: false }));
    }
  }

  /** Gives undated claims the dates that their states ask for. Repeating it is fine. */
  async date(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) {
      return;
    }
    const undated = { _id: { $in: [...ids] }, expiresAt: { $exists: false }, purgeAt: { $exists: false } };
    const end = { $ifNull: ["$deliveredAt", "$expiredAt", "$deletedAt", "$$NOW"] };
    await asking(async () => {
      await this.#sends.updateMany({ ...undated, state: "pending" }, [{ $set: { expiresAt: { $add: ["$acceptedAt", LIFETIME_MS] } } }]);
      await this.#sends.updateMany({ ...undated, state: { $ne: "pending" } }, [{ $set: { purgeAt: { $add: [end, MEMORY_MS] } } }]);
    });
  }

  /** How many have a date: in equal spans of time between the first date and the last. */
  async #countDated(field: DateField, parts: number): Promise<number> {
    const [first, last] = parts > 1 ? [await this.#findDate(field, 1), await this.#findDate(field, -1)] : [];
    const span = ((last ?? 0) - (first ?? 0)) / parts;
    const starts = Array.from({ length: parts }, (_, part) => (part === 0 ? BEGINNING : Math.ceil((first ?? 0) + part * span)));
    let all = 0;
    for (const [part, start] of starts.entries()) {
      all += await this.#sends.countDocuments({ [field]: { $gte: new Date(start), $lt: new Date(starts[part + 1] ?? END) } });
    }
    return all;
  }

  /** The first or the last date that there is. */
  async #findDate(field: DateField, direction: 1 | -1): Promise<number | undefined> {
    const options = { sort: { [field]: direction }, projection: { _id: 0, [field]: 1 } } as const;
    return (await this.#sends.findOne({ [field]: SET }, options))?.[field]?.getTime();
  }

  /** Part by part, so that each answer comes well before its deadline: ids are evenly spread. */
  async #countAll(): Promise<number> {
    let all = 0;
    for (const [index, start] of STARTS.entries()) {
      const end = STARTS[index + 1];
      const part = { ...(index > 0 && { $gte: start }), ...(end !== undefined && { $lt: end }) };
      all += await this.#sends.countDocuments({ _id: part });
    }
    return all;
  }
}

function toView({ _id: id, state, acceptedAt, expiresAt, purgeAt }: SendDocument): ClaimView {
  return { id, state, acceptedAt: acceptedAt.getTime(), expiresAt: expiresAt?.getTime(), hasPurgeDate: purgeAt !== undefined };
}
