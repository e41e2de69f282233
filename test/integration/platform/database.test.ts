import { expect } from "chai";
import { Long, MongoServerError } from "mongodb";
import { Leases, leasesSchema } from "../../../platform/leases.ts";
import { asking, createIndexes, type Database, isDatabaseUnavailable, openDatabase } from "../../../platform/mongo.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";

describe("a service's database", () => {
  let database: Database;

  beforeEach(() => {
    database = openDatabase(freshDatabaseUri(), "account");
  });

  afterEach(async () => {
    await database.db.dropDatabase();
    await database[Symbol.asyncDispose]();
  });

  it("is named by the URI and the service", () => {
    expect(database.db.databaseName).to.match(/^test_[0-9a-f]{12}_account$/);
  });

  it("says that a primary answers", async () => {
    expect(await database.isUp()).to.equal(true);
  });

  it("creates indexes again without complaint", async () => {
    await createIndexes(database.db, [leasesSchema]);
    await createIndexes(database.db, [leasesSchema]);

    expect(await database.db.collection("leases").indexes()).to.have.length(2);
  });

  it("tells a wrong question from a database that cannot be asked", async () => {
    const wrong = await database.db.command({ find: 7 }).catch((error: unknown) => error);

    expect(isDatabaseUnavailable(wrong)).to.equal(false);
  });

  it("is unavailable, not asked wrongly, when a cursor is gone or a question was cut off, and when the disk is full", async () => {
    const noCursor = await database.db.command({ getMore: Long.fromNumber(7), collection: "leases" }).catch((error: unknown) => error);
    const codes = [175, 237, 14_031];
    const others = codes.map((code) => isDatabaseUnavailable(new MongoServerError({ message: "", code })));

    expect(noCursor).to.include({ code: 43 });
    expect(isDatabaseUnavailable(noCursor)).to.equal(true);
    expect(others).to.deep.equal([true, true, true]);
  });

  it("holds a lease until it is ended, also one that is renewed late", async () => {
    const leases = new Leases(database.db);
    await leases.renew("a");
    await leases.renew("a");
    const held = [await leases.isHeld("a"), await leases.isHeld("b")];
    await database.db.collection("leases").updateOne({ _id: "a" as never }, { $set: { expiresAt: new Date(Date.now() - 1) } });
    const lapsed = await leases.isHeld("a");
    await leases.renew("a");
    const revived = await leases.isHeld("a");
    await leases.end("a");

    expect([...held, lapsed, revived, await leases.isHeld("a")]).to.deep.equal([true, false, false, true, false]);
  });

  it("gives a lease to one of several holders until it has run out", async () => {
    const leases = new Leases(database.db);
    const holders = Array.from({ length: 8 }, (_, index) => `holder ${index}`);
    const taken = await Promise.all(holders.map((holder) => leases.take("wanted", holder, 600_000)));
    const winner = holders[taken.indexOf(true)] ?? "";
    const again = await Promise.all(holders.map((holder) => leases.take("wanted", holder, 600_000)));
    await database.db.collection("leases").updateOne({ _id: "wanted" as never }, { $set: { expiresAt: new Date(Date.now() - 1) } });
    const next = await leases.take("wanted", "another", 600_000);

    expect(taken.filter((isTaken) => isTaken)).to.have.lengthOf(1);
    expect(again).to.deep.equal(taken);
    expect([next, await leases.take("wanted", winner, 600_000)]).to.deep.equal([true, false]);
  });
});

describe("a database that is not there", () => {
  it("is unavailable, not wrong", async () => {
    await using database = openDatabase("mongodb://127.0.0.1:1/sallyport", "chat");

    const error = await asking(() => database.db.collection("x").findOne({})).catch((reason: unknown) => reason);

    expect(await database.isUp()).to.equal(false);
    expect(error).to.deep.include({ status: "UNAVAILABLE", reason: "DATABASE_UNAVAILABLE" });
  });
});
