import { randomUUID } from "node:crypto";
import type { Filter } from "mongodb";
import { GroupCommit } from "../../../platform/group-commit.ts";
import { asking, type Collection, type Db } from "../../../platform/mongo.ts";
import { insertNew } from "./insert-new.ts";
import { linearizable } from "./linearizable.ts";
import type { SendDocument } from "./schema.ts";

/** What the ledger knows of a message. */
export interface SendRecord {
  readonly id: string;
  readonly state: SendDocument["state"];
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number;
  readonly receiptKid: string;
  readonly digest: Buffer;
  readonly digestKid: string;
}

/** What is written of a message when it is accepted. */
export type Claim = Omit<SendRecord, "state">;

/** A message that nobody takes expires after this time. */
export const LIFETIME_MS = 2_592_000_000;
/** A message is known for this time after its end. */
export const MEMORY_MS = 604_800_000;

/** The ledger of all messages, content-free. Every verb is group-committed and waits for a majority. */
export class Sends {
  readonly #sends: Collection<SendDocument>;
  readonly #claims: GroupCommit<Claim, SendRecord | undefined>;
  readonly #deliveries: GroupCommit<Claim & { readonly at: number }, SendRecord | undefined>;
  readonly #lookups: GroupCommit<string, SendRecord | undefined>;

  /** `written` hears how many messages each write names. */
  constructor(db: Db, written: (messages: number) => void = () => undefined) {
    this.#sends = db.collection<SendDocument>("sends");
    this.#claims = new GroupCommit((claims) => this.#insert(claims.map(toPending)), undefined, written);
    const insertDelivered = (claims: readonly (Claim & { readonly at: number })[]): Promise<readonly (SendRecord | undefined)[]> =>
      this.#insert(claims.map((claim) => toDelivered(claim, claim.at)));
    this.#deliveries = new GroupCommit(insertDelivered, undefined, written);
    this.#lookups = new GroupCommit(async (ids) => {
      const found = await this.findAll(ids);
      return ids.map((id) => found.get(id));
    });
  }

  /** What is known of a message. */
  find(id: string): Promise<SendRecord | undefined> {
    return this.#lookups.add(id);
  }

  /** What is known of some messages, by id. */
  async findAll(ids: readonly string[]): Promise<ReadonlyMap<string, SendRecord>> {
    const documents = await asking(() => this.#sends.find({ _id: { $in: [...ids] } }).toArray());
    return new Map(documents.map((document) => [document._id, toRecord(document)]));
  }

  /** What tells of some messages whether they wait, and under which claim; by id. */
  async findStates(ids: readonly string[]): Promise<ReadonlyMap<string, Pick<SendRecord, "state" | "acceptedAt">>> {
    const options = { projection: { state: 1, acceptedAt: 1 } } as const;
    const found = await asking(() => this.#sends.find({ _id: { $in: [...ids] } }, options).toArray());
    return new Map(found.map(({ _id, state, acceptedAt }) => [_id, { state, acceptedAt: acceptedAt.getTime() }]));
  }

  /**
   * Writes a message down as pending, under its time of acceptance, which no other claim of the message had. Undefined: it is written.
   * Else there was another claim, or the message had ended: that is answered, as it was read a moment later.
   */
  claim(claim: Claim): Promise<SendRecord | undefined> {
    return this.#claims.add(claim);
  }

  /** Writes a message down that was delivered before it was stored. Answers as `claim` does; what was there stays unchanged. */
  claimDelivered(claim: Claim, at: number): Promise<SendRecord | undefined> {
    return this.#deliveries.add({ ...claim, at });
  }

  /** Ends pending messages as delivered. Answers those that this call ended; a repeat answers none. */
  deliver(ids: readonly string[], at: number): Promise<ReadonlySet<string>> {
    return this.#end(ids, "delivered", at);
  }

  /** Ends pending messages as expired whose time is over by this clock and the database's. Answers those that this call ended; a repeat answers none. */
  expire(ids: readonly string[], at: number): Promise<ReadonlySet<string>> {
    return this.#end(ids, "expired", at, { expiresAt: { $lte: new Date(at) }, $expr: { $lte: ["$expiresAt", "$$NOW"] } });
  }

  /** Ends pending messages whose recipient was deleted. Answers those that this call ended; a repeat answers none. */
  erase(ids: readonly string[], at: number): Promise<ReadonlySet<string>> {
    return this.#end(ids, "deleted", at);
  }

  /**
   * Whether a message waits under the claim of that time: by a write, so that whoever would give the claim up for want of a body
   * fails, or was there before. Repeating it is fine.
   */
  async confirm({ id, acceptedAt }: Pick<Claim, "id" | "acceptedAt">): Promise<boolean> {
    const claim = { _id: id, state: "pending" as const, acceptedAt: new Date(acceptedAt) };
    const { matchedCount } = await asking(() => this.#sends.updateOne(claim, { $set: { batch: randomUUID() } }));
    return matchedCount > 0;
  }

  /** Those of the messages that wait under the claims of these times; no member of the database that was cut off can answer. */
  async findPending(claims: readonly Pick<Claim, "id" | "acceptedAt">[]): Promise<ReadonlySet<string>> {
    if (claims.length === 0) {
      return new Set();
    }
    const filter = { _id: { $in: claims.map(({ id }) => id) }, state: "pending" as const };
    const options = { projection: { acceptedAt: 1 }, ...linearizable(claims.length) } as const;
    const found = await asking(() => this.#sends.find(filter, options).toArray());
    const times = new Map(found.map(({ _id, acceptedAt }) => [_id, acceptedAt.getTime()]));
    return new Set(claims.filter(({ id, acceptedAt }) => times.get(id) === acceptedAt).map(({ id }) => id));
  }

  /** Ends as expired up to `limit` claims that are due, bodies or not, the oldest first. Answers how many this call ended. */
  async expireDue(at: number, limit: number): Promise<number> {
    const due = { expiresAt: { $lte: new Date(at) } };
    const options = { projection: { _id: 1 }, sort: { expiresAt: 1 }, limit } as const;
    const documents = await asking(() => this.#sends.find(due, options).toArray());
    const ids = documents.map(({ _id }) => _id);
    return ids.length === 0 ? 0 : (await this.expire(ids, at)).size;
  }

  /** Answers of each what is there in its place. Of several of one id the first is written; what goes away before it is looked at does not stand in the way. */
  async #insert(documents: readonly SendDocument[]): Promise<readonly (SendRecord | undefined)[]> {
    const firsts = new Map([...documents].reverse().map((document) => [document._id, document]));
    const met = new Map<string, SendRecord>();
    for (let rest = [...firsts.values()]; rest.length > 0; ) {
      const taken = await asking(() => insertNew(this.#sends, rest));
      const found = taken.size === 0 ? NONE : await this.findAll([...taken]);
      for (const [id, record] of found) {
        met.set(id, record);
      }
      rest = rest.filter(({ _id }) => taken.has(_id) && !found.has(_id));
    }
    return documents.map((document) => {
      const first = firsts.get(document._id) as SendDocument;
      return met.get(document._id) ?? (document === first ? undefined : toRecord(first));
    });
  }

  async #end(
    ids: readonly string[],
    state: Exclude<SendRecord["state"], "pending">,
    at: number,
    more: Partial<Pick<Filter<SendDocument>, "expiresAt" | "$expr">> = {},
  ): Promise<ReadonlySet<string>> {
    const batch = randomUUID();
    const change = {
      $set: { state, batch, [`${state}At`]: new Date(at), purgeAt: new Date(at + MEMORY_MS) },
      $unset: { expiresAt: "" as const },
    };
    const due = { _id: { $in: [...ids] }, state: "pending" as const, ...more };
    const result = await asking(() => this.#sends.updateMany(due, change));
    if (result.modifiedCount === ids.length) {
      return new Set(ids);
    }
    const passedBy = await this.#idsWhere(due);
    if (passedBy.length > 0) {
      // While the database moves a range to another shard, a change of many may pass documents by (SERVER-20361); one of each does not.
      const changes = passedBy.map((_id) => ({ updateOne: { filter: { ...due, _id }, update: change } }));
      await asking(() => this.#sends.bulkWrite(changes, { ordered: false }));
    }
    return new Set(await this.#idsWhere({ _id: { $in: [...ids] }, batch }));
  }

  async #idsWhere(filter: Filter<SendDocument>): Promise<readonly string[]> {
    const found = await asking(() => this.#sends.find(filter, { projection: { _id: 1 } }).toArray());
    return found.map(({ _id }) => _id);
  }
}

const NONE: ReadonlyMap<string, SendRecord> = new Map();

function toPending(claim: Claim): SendDocument {
  return { ...factsOf(claim), state: "pending", expiresAt: new Date(claim.acceptedAt + LIFETIME_MS) };
}

function toDelivered(claim: Claim, at: number): SendDocument {
  return { ...factsOf(claim), state: "delivered", deliveredAt: new Date(at), purgeAt: new Date(at + MEMORY_MS) };
}

function factsOf({ id, acceptedAt, receiptKid, digest, digestKid }: Claim): Omit<SendDocument, "state"> {
  return { _id: id, acceptedAt: new Date(acceptedAt), kid: receiptKid, digest, digestKid };
}

function toRecord({ _id, state, acceptedAt, kid, digest, digestKid }: SendDocument): SendRecord {
  return { id: _id, state, acceptedAt: acceptedAt.getTime(), receiptKid: kid, digest, digestKid };
}
