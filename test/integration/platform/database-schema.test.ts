import { EventEmitter, once } from "node:events";
import { expect } from "chai";
import type { DatabaseSchema } from "../../../platform/database-schema.ts";
import { type Database, type Db, openDatabase } from "../../../platform/mongo.ts";
import { type PreparationEvents, prepareDatabase } from "../../../platform/prepare-database.ts";
import { accountDatabase } from "../../../services/account/store/database.ts";
import { chatDatabase } from "../../../services/chat/store/database.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";

/** What an older version made that a newer one drops. */
const DROPPED = [
  { schema: chatDatabase, collection: "sends", key: { expiresAt: 1 }, old: "expiresAt_1", made: "pending" },
  { schema: accountDatabase, collection: "sessions", key: { revokedAt: 1 }, old: "revokedAt_1", made: "revokedAt_1__id_1" },
] as const;

const SHORT_ANSWER_MS = 1_000;
const UNHEARD: PreparationEvents = { databaseAwaited: () => undefined, indexesAwaited: () => undefined, databaseMigrated: () => undefined };

describe("the version of a service's database", () => {
  let database: Database;

  beforeEach(() => {
    database = openDatabase(freshDatabaseUri(), "chat");
  });

  afterEach(async () => {
    await database.db.dropDatabase();
    await database[Symbol.asyncDispose]();
  });

  it("is that of the program that makes it, with nothing to migrate", async () => {
    const { schema, runs } = countingSchema();

    const told = await prepare(database, schema);

    expect(await versionIn(database.db)).to.equal(3);
    expect([runs(), told]).to.deep.equal([[], []]);
  });

  it("is 1 when nothing says so: each later one is migrated to, in order and once", async () => {
    const { schema, runs } = countingSchema();
    await database.db.createCollection("things");

    const told = [...(await prepare(database, schema)), ...(await prepare(database, schema))];

    expect(await versionIn(database.db)).to.equal(3);
    expect([runs(), told]).to.deep.equal([
      [2, 3],
      [2, 3],
    ]);
  });

  it("goes on from where a migration was cut off", async () => {
    const { schema, runs } = countingSchema();
    await database.db.createCollection("things");
    const cut = { ...schema, migrations: [...schema.migrations.slice(0, 1), () => Promise.reject(new Error("cut off"))] };

    const outcome = await prepare(database, cut).catch((error: Error) => error.message);
    const told = await prepare(database, schema);

    expect(outcome).to.equal("cut off");
    expect([runs(), told]).to.deep.equal([[2, 3], [3]]);
  });

  it("is told once and right when several migrate at the same time", async () => {
    const { schema } = countingSchema();
    await database.db.createCollection("things");

    const told = await Promise.all([1, 2, 3, 4, 5].map(() => prepare(database, schema)));

    expect(await versionIn(database.db)).to.equal(3);
    expect(told.flat()).to.have.members([2, 3]);
  });

  it("is right when several make the database at the same time", async () => {
    await Promise.all([1, 2, 3, 4, 5].map(() => prepare(database, chatDatabase)));

    expect(await versionIn(database.db)).to.equal(chatDatabase.migrations.length + 1);
    expect(await database.db.collection("sends").indexes()).to.have.length(5);
  });

  it("is refused when it is newer than the program, and nothing is changed", async () => {
    const newer = { ...chatDatabase, migrations: [...chatDatabase.migrations, async () => undefined] };
    await prepare(database, newer);
    await database.db.collection("sends").drop();

    const error = await prepare(database, chatDatabase).catch((thrown: Error) => thrown.message);

    expect(error).to.match(/^the database test_\w+_chat is of version 3, and this program knows only version 2: run .+$/);
    expect(await versionIn(database.db)).to.equal(3);
    expect(await database.db.listCollections({ name: "sends" }).toArray()).to.deep.equal([]);
  });

  it("is refused when somebody newer migrates it meanwhile", async () => {
    const overtaken: DatabaseSchema = {
      collections: [{ name: "things", indexes: [] }],
      migrations: [async (db) => void (await db.collection("schema").updateOne({ _id: "schema" as never }, { $set: { version: 9 } }))],
    };
    await database.db.createCollection("things");

    const error = await prepare(database, overtaken).catch((thrown: Error) => thrown.message);

    expect(error).to.contain("is of version 9, and this program knows only version 2");
  });
});

describe("the data of version 1", () => {
  for (const { schema, collection, key, old, made } of DROPPED) {
    it(`is kept, and ${collection} gets ${made} in the place of ${old}`, async () => {
      await using database = openDatabase(freshDatabaseUri(), "old");
      const documents = [{ _id: "a" }, { _id: "b", expiresAt: new Date(5), revokedAt: new Date(6) }];
      await database.db.collection(collection).createIndex(key);
      await database.db.collection(collection).insertMany(documents as never[]);

      await prepare(database, schema);

      const names = (await database.db.collection(collection).indexes()).map(({ name }) => name);
      expect(names).to.include(made).and.not.include(old);
      expect(await database.db.collection(collection).find().sort({ _id: 1 }).toArray()).to.deep.equal(documents);
      await database.db.dropDatabase();
    });
  }
});

describe("the indexes of a service's database", () => {
  it("are asked for once and waited for, however much longer than an answer they take to build", async () => {
    await using database = openDatabase(freshDatabaseUri(), "large", SHORT_ANSWER_MS);
    const { db } = database;
    const told: string[] = [];
    const heard = new EventEmitter();
    const tell = (what: string) => (): void => {
      told.push(what);
      heard.emit("told");
    };
    const things = await db.createCollection("things");
    const session = db.client.startSession();
    session.startTransaction();
    // Until it ends, no index is built.
    await things.insertOne({}, { session });

    const preparing = prepareDatabase(database, countingSchema().schema, {
      ...UNHEARD,
      databaseAwaited: tell("database"),
      indexesAwaited: tell("indexes"),
    });
    await once(heard, "told");
    const { inprog } = await db.admin().command({ currentOp: true, ns: things.namespace, "command.createIndexes": "things" });
    await session.abortTransaction();
    await session.endSession();
    await preparing;

    expect(told).to.deep.equal(["indexes"]);
    expect(inprog).to.have.lengthOf(1);
    expect(await things.indexes()).to.have.lengthOf(2);
    await db.dropDatabase();
  });
});

/** A schema of version 3, and which migrations ran. */
function countingSchema(): { readonly schema: DatabaseSchema; readonly runs: () => readonly number[] } {
  const runs: number[] = [];
  const migrations = [2, 3].map((version) => async (): Promise<void> => void runs.push(version));
  return { schema: { collections: [{ name: "things", indexes: [{ key: { at: 1 } }] }], migrations }, runs: () => runs };
}

/** Answers the versions that were told of. */
async function prepare(database: Database, schema: DatabaseSchema): Promise<readonly number[]> {
  const told: number[] = [];
  await prepareDatabase(database, schema, { ...UNHEARD, databaseMigrated: (version) => void told.push(version) });
  return told;
}

async function versionIn(db: Db): Promise<unknown> {
  return (await db.collection("schema").findOne({ _id: "schema" as never }))?.["version"];
}
