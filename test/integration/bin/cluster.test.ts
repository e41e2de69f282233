import { expect } from "chai";
import { findCluster } from "../../../bin/database/cluster.ts";
import { type Database, type Document, openDatabase } from "../../../platform/mongo.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";

/** Names that differ from the first, and that it would match if it were a pattern or a prefix. */
const NEIGHBOURS = ["aab_chat.sends", "a+b_chats.sends", "a+b.chat.sends", "a+b_cha.sends"];

describe("the cluster behind a database", () => {
  it("tells what is sharded of that database only, whatever its name", async () => {
    await using config = openDatabase(freshDatabaseUri(), "config");
    const books = ["a+b_chat.sends", "a+b_chat.inbox.old", ...NEIGHBOURS].map((name) => ({ _id: name, key: { _id: 1 } }));
    await config.db.collection<{ _id: string }>("collections").insertMany(books);

    const cluster = await findCluster(clusteredBy(config, "a+b_chat"));
    const { collections } = (await cluster?.read()) ?? expect.fail("no cluster");

    expect([...collections.keys()]).to.have.members(["sends", "inbox.old"]);
    await config.db.dropDatabase();
  });
});

/** A database of a cluster whose books another database holds in the place of `config`. */
function clusteredBy({ db: config }: Database, databaseName: string): Database {
  const command = async (asked: Document): Promise<Document> => ("hello" in asked ? { msg: "isdbgrid" } : { shards: [] });
  const client = { db: (name: string) => (name === "config" ? config : { command }) };
  const collection = (): object => ({ aggregate: () => ({ toArray: async () => [] }) });
  return { db: { databaseName, client, collection } } as unknown as Database;
}
