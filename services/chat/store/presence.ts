import { SallyportError } from "../../../platform/errors.ts";
import { GroupCommit } from "../../../platform/group-commit.ts";
import { asking, type Collection, type Db, type Document } from "../../../platform/mongo.ts";
import { isNewer, rankOf } from "../delivery/presence-rules.ts";
import { insertNew } from "./insert-new.ts";
import type { Holder, PresenceDocument } from "./schema.ts";

/** The outcome of taking over: it is the current one; or a newer one is. */
export type Taken =
  | { readonly kind: "taken"; readonly previous: Holder | undefined }
  | { readonly kind: "outdated"; readonly heir: Holder };

/** Which socket has an account's events. Epochs of an account only grow. */
export class Presence {
  readonly #presence: Collection<PresenceDocument>;
  readonly #lookups: GroupCommit<string, Holder | undefined>;

  constructor(db: Db) {
    this.#presence = db.collection<PresenceDocument>("presence");
    this.#lookups = new GroupCommit(async (ids) => {
      const found = await this.findAll(ids);
      return ids.map((id) => found.get(id));
    });
  }

  /** A new epoch for a socket of the account; nobody loses anything by it. A repeat gives another one. @throws DEADLINE_EXCEEDED. */
  async claimEpoch(accountId: string, deadline: number): Promise<number> {
    const options = { returnDocument: "after", projection: { epoch: 1 } } as const;
    const attempt = (): Promise<PresenceDocument | null> =>
      asking(() => this.#presence.findOneAndUpdate({ _id: accountId, ...before(deadline) }, { $inc: { epoch: 1 } }, options));
    // MongoDB takes no fence in an upsert: the document is made without one, and empty.
    const document = (await attempt()) ?? (await this.#prepare(accountId).then(attempt));
    if (document === null) {
      throw tooLate();
    }
    return document.epoch;
  }

  /** Makes a socket the account's current one, unless a newer one is (presence-rules.ts). A repeat changes nothing. @throws DEADLINE_EXCEEDED; FAILED_PRECONDITION: it needs a new epoch. */
  async takeOver(accountId: string, holder: Holder, deadline: number): Promise<Taken> {
    const older = { _id: accountId, $or: [{ current: { $exists: false } }, ...olderThan(holder)] };
    const change = { $set: { current: holder } };
    const options = { returnDocument: "before", projection: { current: 1 } } as const;
    const found = await asking(() => this.#presence.findOneAndUpdate({ ...older, ...before(deadline) }, change, options));
    if (found !== null) {
      return { kind: "taken", previous: found.current };
    }
    const current = (await asking(() => this.#presence.findOne({ _id: accountId })))?.current;
    if (current?.epoch === holder.epoch) {
      return { kind: "taken", previous: undefined };
    }
    if (current !== undefined && isNewer(current, holder)) {
      return { kind: "outdated", heir: current };
    }
    throw current !== undefined && current.epoch > holder.epoch ? behind() : tooLate();
  }

  /** The socket of that epoch is gone; `heir` has the events again, if there is one. Of another epoch nothing changes: then it answers false. */
  async giveUp(accountId: string, epoch: number, heir?: Holder): Promise<boolean> {
    const change = heir === undefined ? { $unset: { current: "" as const } } : { $set: { current: heir } };
    const { matchedCount } = await asking(() => this.#presence.updateOne({ _id: accountId, "current.epoch": epoch }, change));
    return matchedCount > 0;
  }

  /** Forgets accounts that are gone, their epochs too. Repeating it is fine. */
  async removeAll(accountIds: readonly string[]): Promise<void> {
    await asking(() => this.#presence.deleteMany({ _id: { $in: [...accountIds] } }));
  }

  /** The socket that has an account's events; group-committed. */
  find(accountId: string): Promise<Holder | undefined> {
    return this.#lookups.add(accountId);
  }

  /** The sockets that have the events of some accounts. */
  async findAll(accountIds: readonly string[]): Promise<ReadonlyMap<string, Holder>> {
    const filter = { _id: { $in: [...accountIds] }, current: { $exists: true } };
    const documents = await asking(() => this.#presence.find(filter).toArray());
    return new Map(documents.flatMap(({ _id, current }) => (current === undefined ? [] : [[_id, current] as const])));
  }

  async #prepare(accountId: string): Promise<void> {
    await asking(() => insertNew(this.#presence, [{ _id: accountId, epoch: 0 }]));
  }
}

/** What matches a current socket that is not newer than one that wants the events, with an older epoch: `takeOver` of presence-rules.ts. */
function olderThan(holder: Holder): readonly Document[] {
  const { incarnation, connection, epoch } = holder;
  const isEarlier = { "current.epoch": { $lt: epoch } };
  const isSame = { "current.incarnation": incarnation, "current.connection": connection };
  const isRanked = { "current.rank": { $lte: rankOf(holder) } };
  const isUnranked = { "current.rank": { $exists: false }, "current.epoch": { $lte: rankOf(holder), $lt: epoch } };
  return [{ ...isSame, ...isEarlier }, { ...isRanked, ...isEarlier }, isUnranked];
}

/** The fence: by the database's clock it is earlier than the deadline. */
function before(deadline: number): Document {
  return { $expr: { $lt: ["$$NOW", new Date(deadline)] } };
}

function behind(): SallyportError {
  return new SallyportError("FAILED_PRECONDITION", "an older socket was attached again meanwhile", { reason: "EPOCH_OVERTAKEN" });
}

function tooLate(): SallyportError {
  return new SallyportError("DEADLINE_EXCEEDED", "the deadline has passed", { reason: "DEADLINE_EXCEEDED" });
}
