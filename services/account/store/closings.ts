import { asking, type Db, type Document } from "../../../platform/mongo.ts";
import { type AccountDocument, accountsSchema, type FollowUp } from "./schema.ts";
import { beforeDeadline } from "./time.ts";

/** An account with work left. */
export type ClosedAccount = AccountDocument & { readonly followUp: FollowUp };

/** Why an account was not closed. `tooLate`: the deadline has passed. */
export type NotClosed = "gone" | "locked" | "tooLate";

/** The locks and deletions of accounts. Each leaves a follow-up in the same write, so that no crash leaves it half done. */
export interface Closings {
  /** Locks an account, also one that is locked. */
  lock(accountId: string, deadline: number): Promise<ClosedAccount | NotClosed>;
  /** Takes away the lock of an instant, with its follow-up: its sessions must have ended. Repeating it is fine. */
  unlock(accountId: string, lockedAt: Date): Promise<void>;
  /** Leaves of an account its id: its name and its identities are free. `locked`: an operator must unlock it first. Repeating it is `gone`. */
  bury(accountId: string, deadline: number): Promise<ClosedAccount | NotClosed>;
  /** Takes up the follow-up that is due first, for `CLAIM_MS`; null: none is. */
  takeDue(): Promise<ClosedAccount | null>;
  /** Sets what is left of a follow-up, nothing if undefined. Does nothing when somebody else has taken it up. */
  reschedule(account: ClosedAccount, followUp: FollowUp | undefined): Promise<void>;
}

/** Who takes up a follow-up has this long before somebody else does. */
export const CLAIM_MS = 3_000;
/** The call that locks finishes by itself before anybody else takes it up. */
const LOCK_DUE_MS = 2_000;

/** The locks and deletions in a database. */
export function createClosings(db: Db): Closings {
  const accounts = db.collection<AccountDocument>(accountsSchema.name);
  const alive = { deletedAt: { $exists: false } };

  const close = (filter: Document, update: Document[], deadline: number): Promise<ClosedAccount | NotClosed> =>
    asking(async () => {
      const closed = await accounts.findOneAndUpdate({ ...filter, ...beforeDeadline(deadline) }, update, { returnDocument: "after" });
      return closed === null ? whyNot(await accounts.findOne({ _id: filter["_id"] }), filter) : (closed as ClosedAccount);
    });

  return {
    lock: (accountId, deadline) => {
      const lockedAt = { $ifNull: ["$lockedAt", "$$NOW"] };
      const followUp = { dueAt: { $add: ["$$NOW", LOCK_DUE_MS] }, rounds: 0 };
      return close({ _id: accountId, ...alive }, [{ $set: { lockedAt, followUp } }], deadline);
    },
    unlock: async (accountId, lockedAt) => {
      await asking(() => accounts.updateOne({ _id: accountId, lockedAt }, { $unset: { lockedAt: "", followUp: "" } }));
    },
    bury: (accountId, deadline) => {
      const followUp = { dueAt: "$$NOW", rounds: 0 };
      const tombstone = [{ $set: { deletedAt: "$$NOW", followUp } }, { $unset: ["devName", "identities"] }];
      return close({ _id: accountId, ...alive, lockedAt: { $exists: false } }, tombstone, deadline);
    },
    takeDue: () =>
      asking(async () => {
        const due = { "followUp.dueAt": { $exists: true }, $expr: { $lte: ["$followUp.dueAt", "$$NOW"] } };
        const claim = [{ $set: { "followUp.dueAt": { $add: ["$$NOW", CLAIM_MS] } } }];
        const options = { sort: { "followUp.dueAt": 1 }, returnDocument: "after" } as const;
        return (await accounts.findOneAndUpdate(due, claim, options)) as ClosedAccount | null;
      }),
    reschedule: async ({ _id, followUp: taken }, followUp) => {
      const update = followUp === undefined ? { $unset: { followUp: "" } as const } : { $set: { followUp } };
      await asking(() => accounts.updateOne({ _id, "followUp.dueAt": taken.dueAt }, update));
    },
  };
}

function whyNot(account: AccountDocument | null, filter: Document): NotClosed {
  if (account === null || account.deletedAt !== undefined) {
    return "gone";
  }
  return account.lockedAt !== undefined && "lockedAt" in filter ? "locked" : "tooLate";
}
