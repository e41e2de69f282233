import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { type Collection, type Database, type Db, openDatabase } from "../../../platform/mongo.ts";
import { Inbox, type InboxKey } from "../../../services/chat/store/inbox.ts";
import type { InboxDocument } from "../../../services/chat/store/schema.ts";
import { type Claim, Sends } from "../../../services/chat/store/sends.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";

describe("ledger and inboxes while a sharded cluster moves a range", () => {
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

    it(`removes every body, also when the removal of many passes ${passing} of them by`, async () => {
      const inbox = new Inbox(passingBy(database.db, passing));
      const keys = [1, 2, 3].map((at) => ({ recipientId: `r${at}`, id: newUuid() }));
      await Promise.all(keys.map((key) => inbox.add(bodyOf(key))));

      await inbox.remove(keys);

      expect(await database.db.collection("inbox").countDocuments()).to.equal(0);
    });
  }
});

const FACTS = { acceptedAt: 1, receiptKid: "k", digest: Buffer.of(1), digestKid: "d" };

function bodyOf({ id, recipientId }: InboxKey): InboxDocument {
  const facts = { senderId: "s", clientMessageId: "c", acceptedAt: new Date(1), order: 1, size: 1, receiptKid: "k" };
  return { _id: id, recipientId, ...facts, sealed: { scheme: "caesar", body: Buffer.of(1) } as unknown as InboxDocument["sealed"] };
}

/** A database whose changes and removals of many miss the first document that they are for, or all. */
function passingBy(db: Db, passing: "some" | "all"): Db {
  const missing = (collection: Collection): Collection =>
    new Proxy(collection, {
      get: (_target, name) => {
        if (name !== "updateMany" && name !== "deleteMany") {
          const member: unknown = Reflect.get(collection, name);
          return typeof member === "function" ? member.bind(collection) : member;
        }
        return ({ _id, ...rest }: { _id: { $in: string[] } }, change: object) => {
          const found = { _id: { $in: passing === "all" ? [] : _id.$in.slice(1) }, ...rest } as object;
          return name === "updateMany" ? collection.updateMany(found, change) : collection.deleteMany(found);
        };
      },
    });
  return { collection: (name: string) => missing(db.collection(name)) } as unknown as Db;
}
