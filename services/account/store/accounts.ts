import { unavailable } from "../../../platform/errors.ts";
import { asking, type Db } from "../../../platform/mongo.ts";
import { type AccountDocument, accountsSchema } from "./schema.ts";

/** The accounts. */
export interface Accounts {
  /** The account of a dev name, made with `freshId` if there is none. Repeating it, also in parallel, makes no second one. */
  findOrCreate(devName: string, freshId: string, now: Date): Promise<{ readonly accountId: string; readonly created: boolean }>;
  find(accountId: string): Promise<AccountDocument | null>;
  /** Those of the given ids that are accounts. */
  filter(accountIds: readonly string[]): Promise<readonly string[]>;
}

const DUPLICATE_KEY = 11_000;

/** The accounts of a database. */
export function createAccounts(db: Db): Accounts {
  const accounts = db.collection<AccountDocument>(accountsSchema.name);
  const findByName = (devName: string): Promise<AccountDocument | null> => accounts.findOne({ devName });

  const create = async (devName: string, freshId: string, now: Date): Promise<boolean> => {
    try {
      await accounts.insertOne({ _id: freshId, devName, createdAt: now });
      return true;
    } catch (error) {
      // Somebody else made it first: the unique index on the name decides.
      if (error instanceof Error && "code" in error && error.code === DUPLICATE_KEY) {
        return false;
      }
      throw error;
    }
  };

  return {
    findOrCreate: (devName, freshId, now) =>
      asking(async () => {
        const known = await findByName(devName);
        if (known !== null) {
          return { accountId: known._id, created: false };
        }
        if (await create(devName, freshId, now)) {
          return { accountId: freshId, created: true };
        }
        const made = await findByName(devName);
        if (made === null) {
          throw unavailable("the account cannot be read yet", "ACCOUNT_UNSETTLED");
        }
        return { accountId: made._id, created: false };
      }),
    find: (accountId) => asking(() => accounts.findOne({ _id: accountId })),
    filter: (accountIds) =>
      asking(async () => {
        const found = await accounts.find({ _id: { $in: [...accountIds] } }, { projection: { _id: 1 } }).toArray();
        return found.map(({ _id }) => _id);
      }),
  };
}
