import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { type Collection, type Database, type Db, openDatabase } from "../../../platform/mongo.ts";
import { type Claim, Sends } from "../../../services/chat/store/sends.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";

describe("the ledger while a sharded cluster moves a range", () => {
  let database: Database;

  beforeEach(() => {
    database = openDatabase(freshDatabaseUri(), "chat");
  });

  afterEach(async () => {
    await database.db.dropDatabase();
    await database[Symbol.asyncDispose]();
  });

  for (const passing of ["some", "all"] as const) {
    it(`ends every message, also when the change of many passes ${passing} of them by`, async () => {
      const sends = new Sends(passingBy(database.db, passing));
      const claims = [1, 2, 3].map((): Claim => ({ ...FACTS, id: newUuid() }));
      const ids = claims.map(({ id }) => id);
      await Promise.all(claims.map((claim) => sends.claim(claim)));
      await sends.deliver(ids.slice(2), 5);

      const ended = await sends.deliver(ids, 6);

      expect([...ended]).to.have.members(ids.slice(0, 2));
      expect([...(await sends.findAll(ids)).values()].map(({ state }) => state)).to.deep.equal(["delivered", "delivered", "delivered"]);
    });
  }
});

const FACTS = { acceptedAt: 1, receiptKid: "k", digest: Buffer.of(1), digestKid: "d" };

/** A database whose changes of many miss the first document that they are for, or all. */
function passingBy(db: Db, passing: "some" | "all"): Db {
  const missing = (sends: Collection): Collection =>
    new Proxy(sends, {
      get: (_target, name) => {
        if (name !== "updateMany") {
          const member: unknown = Reflect.get(sends, name);
          return typeof member === "function" ? member.bind(sends) : member;
        }
        return ({ _id, ...rest }: { _id: { $in: string[] } }, change: object) =>
          sends.updateMany({ _id: { $in: passing === "all" ? [] : _id.$in.slice(1) }, ...rest } as object, change);
      },
    });
  return { collection: (name: string) => missing(db.collection(name)) } as unknown as Db;
}
