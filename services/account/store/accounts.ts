import { unavailable } from "../../../platform/errors.ts";
import { GroupCommit } from "../../../platform/group-commit.ts";
import { asking, type Collection, type Db, type Document } from "../../../platform/mongo.ts";
import { type AccountDocument, accountsSchema, type Identity } from "./schema.ts";
import { readDatabaseTime, type TimeShift } from "./time.ts";

/** What an account is found by: never an e-mail address. */
export type AccountKey = { readonly devName: string } | { readonly identity: Identity };

/** The account that a login is for. */
export interface FoundAccount {
  readonly accountId: string;
  readonly created: boolean;
  readonly standing: Standing;
  /** The moment of the finding, by the clock of the database. */
  readonly readAt: Date;
  /** The moment that tokens are judged by: the same, except in tests. */
  readonly now: Date;
}

/** Whether an account may have sessions. `gone`: there is none, or it is deleted. */
export type Standing = "open" | "locked" | "gone";

/** The accounts. */
export interface Accounts {
  /** The account of a key, made with `freshId` if there is none. Repeating it, also in parallel, makes no second one. */
  findOrCreate(key: AccountKey, freshId: string): Promise<FoundAccount>;
  /** An account that is not deleted. */
  find(accountId: string): Promise<AccountDocument | null>;
  findByDevName(devName: string): Promise<AccountDocument | null>;
  /** As it is read after the asking; group-committed. */
  standing(accountId: string): Promise<Standing>;
  /** Those of the given ids that are accounts and not deleted. */
  filter(accountIds: readonly string[]): Promise<readonly string[]>;
  /** Lets an identity log in to an account. `taken`: it is another account's. `full`: the account has as many as it may. Repeating it is fine. */
  link(accountId: string, identity: Identity): Promise<"linked" | "taken" | "full" | "gone">;
}

/** So many identities one account may have. */
const MAX_IDENTITIES = 20;
const DUPLICATE_KEY = 11_000;
const ALIVE = { deletedAt: { $exists: false } };

/** The accounts of a database. */
export function createAccounts(db: Db, shift: TimeShift): Accounts {
  const accounts = db.collection<AccountDocument>(accountsSchema.name);
  const findAlive = (filter: Document): Promise<AccountDocument | null> => asking(() => accounts.findOne({ ...filter, ...ALIVE }));
  const standings = new GroupCommit((accountIds: readonly string[]) => commitStandings(accounts, accountIds));

  return {
    findOrCreate: (key, freshId) =>
      asking(async () => {
        const found =
          (await read(accounts, key, shift)) ?? (await create(db, accounts, key, freshId, shift)) ?? (await read(accounts, key, shift));
        if (found === undefined) {
          throw unavailable("the account cannot be read yet", "ACCOUNT_UNSETTLED");
        }
        return found;
      }),
    find: (accountId) => findAlive({ _id: accountId }),
    findByDevName: (devName) => findAlive({ devName }),
    standing: (accountId) => standings.add(accountId),
    filter: (accountIds) =>
      asking(async () => {
        const asked = { _id: { $in: [...accountIds] }, ...ALIVE };
        const found = await accounts.find(asked, { projection: { _id: 1 } }).toArray();
        return found.map(({ _id }) => _id);
      }),
    link: (accountId, identity) =>
      asking(async () => {
        const hasRoom = { [`identities.${MAX_IDENTITIES - 1}`]: { $exists: false } };
        const without = { _id: accountId, ...ALIVE, ...hasRoom, identities: { $not: { $elemMatch: identity } } };
        const linked = await unlessDuplicate(() => accounts.updateOne(without, { $push: { identities: identity } }));
        if (linked === undefined) {
          return "taken";
        }
        return linked.matchedCount === 1 ? "linked" : whyNotLinked(await findAlive({ _id: accountId }), identity);
      }),
  };
}

function whyNotLinked(account: AccountDocument | null, { issuer, subject }: Identity): "linked" | "full" | "gone" {
  if (account === null) {
    return "gone";
  }
  return account.identities?.some((known) => known.issuer === issuer && known.subject === subject) ? "linked" : "full";
}

async function read(accounts: Collection<AccountDocument>, key: AccountKey, shift: TimeShift): Promise<FoundAccount | undefined> {
  const filter = "devName" in key ? key : { identities: { $elemMatch: key.identity } };
  type Read = Pick<AccountDocument, "_id" | "lockedAt"> & { readonly readAt: Date };
  const found = await accounts.findOne<Read>(filter, { projection: { lockedAt: 1, readAt: "$$NOW" } });
  return found === null
    ? undefined
    : { accountId: found._id, created: false, standing: standingOf(found), ...momentOf(found.readAt, shift) };
}

/** Undefined: somebody else made it first, the unique index on the key decides. */
async function create(
  db: Db,
  accounts: Collection<AccountDocument>,
  key: AccountKey,
  accountId: string,
  shift: TimeShift,
): Promise<FoundAccount | undefined> {
  const moment = momentOf(await readDatabaseTime(db), shift);
  const document = { _id: accountId, createdAt: moment.now, ...("devName" in key ? key : { identities: [key.identity] }) };
  const made = await unlessDuplicate(() => accounts.insertOne(document));
  return made && { accountId, created: true, standing: "open", ...moment };
}

async function commitStandings(accounts: Collection<AccountDocument>, accountIds: readonly string[]): Promise<readonly Standing[]> {
  const asked = { _id: { $in: [...new Set(accountIds)] }, ...ALIVE };
  const found = await asking(() => accounts.find(asked, { projection: { lockedAt: 1 }, batchSize: accountIds.length + 1 }).toArray());
  const standings = new Map(found.map((account) => [account._id, standingOf(account)]));
  return accountIds.map((accountId) => standings.get(accountId) ?? "gone");
}

function standingOf(account: Pick<AccountDocument, "lockedAt"> | null): Standing {
  return account === null ? "gone" : account.lockedAt === undefined ? "open" : "locked";
}

function momentOf(readAt: Date, shift: TimeShift): Pick<FoundAccount, "readAt" | "now"> {
  return { readAt, now: new Date(readAt.getTime() + shift()) };
}

async function unlessDuplicate<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === DUPLICATE_KEY) {
      return undefined;
    }
    throw error;
  }
}
