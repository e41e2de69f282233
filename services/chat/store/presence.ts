import { randomUUID } from "node:crypto";
import { SallyportError } from "../../../platform/errors.ts";
import { GroupCommit } from "../../../platform/group-commit.ts";
import { asking, type Collection, type Db, type Document } from "../../../platform/mongo.ts";
import { type Claim, rankOf, type Takeover, takeOver } from "../delivery/presence-rules.ts";
import { insertNew } from "./insert-new.ts";
import type { Holder, PresenceDocument } from "./schema.ts";

/** The outcome of taking over: it is the current one; or a newer one is. */
export type Taken =
  | { readonly kind: "taken"; readonly previous: Holder | undefined }
  | { readonly kind: "outdated"; readonly heir: Holder };

/** What waits for a new epoch. */
interface Claiming {
  readonly accountId: string;
  readonly deadline: number;
}

/** A socket that wants the events. */
interface Bid extends Claiming {
  readonly holder: Holder;
}

/** The end of a socket of that epoch, and who has the events again. */
interface Leaving {
  readonly accountId: string;
  readonly epoch: number;
  readonly heir: Holder | undefined;
}

/** The outcome of an epoch or a takeover that came to nothing because of its deadline. */
const TOO_LATE = { kind: "tooLate" } as const;

/**
 * Which socket has an account's events. Epochs of an account only grow. Every verb is group-committed. What is changed is read first and changed
 * only where it is still so: then the number of changes that were made tells of each whether it was, also if others change it meanwhile.
 */
export class Presence {
  readonly #presence: Collection<PresenceDocument>;
  readonly #claims: GroupCommit<Claiming, Claim>;
  readonly #takeovers: GroupCommit<Bid, Takeover>;
  readonly #leavings: GroupCommit<Leaving, boolean>;
  readonly #lookups: GroupCommit<string, Holder | undefined>;

  constructor(db: Db) {
    this.#presence = db.collection<PresenceDocument>("presence");
    this.#claims = new GroupCommit((claims) => this.#claimAll(claims));
    this.#takeovers = new GroupCommit((bids) => this.#takeOverAll(bids));
    this.#leavings = new GroupCommit((leavings) => this.#giveUpAll(leavings));
    this.#lookups = new GroupCommit(async (ids) => {
      const found = await this.findAll(ids);
      return ids.map((id) => found.get(id));
    });
  }

  /** A new epoch for a socket of the account; nobody loses anything by it. A repeat gives another one. @throws DEADLINE_EXCEEDED. */
  async claimEpoch(accountId: string, deadline: number): Promise<number> {
    const claim = await this.#claims.add({ accountId, deadline });
    if (claim.kind === "tooLate") {
      throw tooLate();
    }
    return claim.epoch;
  }

  /** Makes a socket the account's current one, unless a newer one is (presence-rules.ts). A repeat changes nothing. @throws DEADLINE_EXCEEDED; FAILED_PRECONDITION: it needs a new epoch. */
  async takeOver(accountId: string, holder: Holder, deadline: number): Promise<Taken> {
    const takeover = await this.#takeovers.add({ accountId, holder, deadline });
    switch (takeover.kind) {
      case "taken":
        return { kind: "taken", previous: takeover.previous };
      case "outdated":
        return takeover;
      case "behind":
        throw behind();
      case "tooLate":
        throw tooLate();
    }
  }

  /** The socket of that epoch is gone; `heir` has the events again, if there is one. Of another epoch nothing changes: then it answers false. */
  giveUp(accountId: string, epoch: number, heir?: Holder): Promise<boolean> {
    return this.#leavings.add({ accountId, epoch, heir });
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

  async #claimAll(claims: readonly Claiming[]): Promise<readonly Claim[]> {
    const before = await this.#readOrMake(claims);
    const epochOf = ({ accountId }: Claiming): number => before.get(accountId)?.epoch ?? 0;
    const changes = claims.map((claim) => ({
      updateOne: { filter: { _id: claim.accountId, epoch: epochOf(claim), ...within(claim.deadline) }, update: { $inc: { epoch: 1 } } },
    }));
    const { matchedCount } = await asking(() => this.#presence.bulkWrite(changes, { ordered: false }));
    if (matchedCount === claims.length) {
      return claims.map((claim) => ({ kind: "claimed", epoch: epochOf(claim) + 1 }));
    }
    const after = await this.#read(claims);
    const isChanged = (claim: Claiming): boolean => after.get(claim.accountId)?.epoch !== epochOf(claim);
    // What was changed here has changed: if nothing else has, no other claim has these epochs.
    const areAllOurs = claims.filter(isChanged).length === matchedCount;
    const outcomes = claims.map(async (claim): Promise<Claim> => {
      if (!isChanged(claim)) {
        return TOO_LATE;
      }
      // An epoch that nobody uses harms nothing: another one is claimed.
      return areAllOurs ? { kind: "claimed", epoch: epochOf(claim) + 1 } : this.#claimAlone(claim);
    });
    return Promise.all(outcomes);
  }

  async #claimAlone(claim: Claiming): Promise<Claim> {
    const options = { returnDocument: "after", projection: { epoch: 1 } } as const;
    const filter = { _id: claim.accountId, ...within(claim.deadline) };
    await this.#readOrMake([claim]);
    const document = await asking(() => this.#presence.findOneAndUpdate(filter, { $inc: { epoch: 1 } }, options));
    return document === null ? TOO_LATE : { kind: "claimed", epoch: document.epoch };
  }

  async #takeOverAll(bids: readonly Bid[]): Promise<readonly Takeover[]> {
    const before = await this.#read(bids);
    const previousOf = ({ accountId }: Bid): Holder | undefined => before.get(accountId)?.current;
    const changes = bids.map((bid) => ({
      updateOne: { filter: { ...takeable(bid), ...heldBy(previousOf(bid)) }, update: { $set: { current: bid.holder } } },
    }));
    const { matchedCount } = await asking(() => this.#presence.bulkWrite(changes, { ordered: false }));
    if (matchedCount === bids.length) {
      return bids.map((bid) => takenFrom(previousOf(bid)));
    }
    const after = await this.#read(bids);
    const currentOf = ({ accountId }: Bid): Holder | undefined => after.get(accountId)?.current;
    const isChanged = ({ accountId }: Bid): boolean => !isAsBefore(before.get(accountId), after.get(accountId));
    // What was changed here has changed: if nothing else has, each of them was taken, whoever has taken over since.
    const areAllOurs = bids.filter(isChanged).length === matchedCount;
    const outcomes = bids.map(async (bid): Promise<Takeover> => {
      if (!isChanged(bid)) {
        return leftTo(currentOf(bid), bid);
      }
      return areAllOurs || currentOf(bid)?.epoch === bid.holder.epoch ? takenFrom(previousOf(bid)) : this.#takeOverAlone(bid);
    });
    return Promise.all(outcomes);
  }

  async #takeOverAlone(bid: Bid): Promise<Takeover> {
    const options = { returnDocument: "before", projection: { current: 1 } } as const;
    const found = await asking(() => this.#presence.findOneAndUpdate(takeable(bid), { $set: { current: bid.holder } }, options));
    return found === null ? leftTo((await this.#read([bid])).get(bid.accountId)?.current, bid) : takenFrom(found.current);
  }

  async #giveUpAll(leavings: readonly Leaving[]): Promise<readonly boolean[]> {
    const marks = leavings.map(() => randomUUID());
    const changes = leavings.map(({ accountId, epoch, heir }, index) => {
      const left = marks[index] ?? "";
      const update = heir === undefined ? { $set: { left }, $unset: { current: "" as const } } : { $set: { left, current: heir } };
      return { updateOne: { filter: { _id: accountId, "current.epoch": epoch }, update } };
    });
    const { matchedCount } = await asking(() => this.#presence.bulkWrite(changes, { ordered: false }));
    if (matchedCount === leavings.length) {
      return leavings.map(() => true);
    }
    // A mark may have given way to that of a newer socket's end: then it is false, which costs its caller a look at who has the events.
    const made = new Set([...(await this.#read(leavings)).values()].map(({ left }) => left));
    return marks.map((mark) => made.has(mark));
  }

  /** MongoDB takes no fence in an upsert: what is missing is made without one, and empty. */
  async #readOrMake(claims: readonly Claiming[]): Promise<ReadonlyMap<string, PresenceDocument>> {
    const found = await this.#read(claims);
    const missing = new Set(claims.map(({ accountId }) => accountId).filter((id) => !found.has(id)));
    if (missing.size > 0) {
      await asking(() =>
        insertNew(
          this.#presence,
          [...missing].map((_id) => ({ _id, epoch: 0 })),
        ),
      );
    }
    return found;
  }

  async #read(named: readonly { readonly accountId: string }[]): Promise<ReadonlyMap<string, PresenceDocument>> {
    const ids = [...new Set(named.map(({ accountId }) => accountId))];
    const found = await asking(() => this.#presence.find({ _id: { $in: ids } }, { batchSize: ids.length + 1 }).toArray());
    return new Map(found.map((document) => [document._id, document]));
  }
}

/** What matches the presence of an account that a socket may take over. */
function takeable({ accountId, holder, deadline }: Bid): Document & { _id: string } {
  return { _id: accountId, $or: [{ current: { $exists: false } }, ...olderThan(holder)], ...within(deadline) };
}

/** What matches a presence that is still the same socket's, or nobody's. An epoch has one holder. */
function heldBy(current: Holder | undefined): Document {
  return current === undefined ? { current: { $exists: false } } : { "current.epoch": current.epoch };
}

/** Whether nobody took over in between, be it that all of them have given up again. */
function isAsBefore(before: PresenceDocument | undefined, after: PresenceDocument | undefined): boolean {
  return before?.current?.epoch === after?.current?.epoch && before?.left === after?.left;
}

function takenFrom(previous: Holder | undefined): Takeover {
  return { kind: "taken", ...(previous && { previous }) };
}

/** The outcome for a socket that did not get the events: if nobody newer has them, it was too late. */
function leftTo(current: Holder | undefined, { holder }: Bid): Takeover {
  const [, outcome] = takeOver({ epoch: holder.epoch, ...(current && { current }) }, holder, 0, 0);
  return outcome;
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
function within(deadline: number): Document {
  return { $expr: { $lt: ["$$NOW", new Date(deadline)] } };
}

function behind(): SallyportError {
  return new SallyportError("FAILED_PRECONDITION", "an older socket was attached again meanwhile", { reason: "EPOCH_OVERTAKEN" });
}

function tooLate(): SallyportError {
  return new SallyportError("DEADLINE_EXCEEDED", "the deadline has passed", { reason: "DEADLINE_EXCEEDED" });
}
