import { expect } from "chai";
import { MinKey } from "mongodb";
import { findCluster } from "../../../../bin/database/cluster.ts";
import type { Database, Document } from "../../../../platform/mongo.ts";

/** What a mongos answers for a database of two shards, `config` as MongoDB 6.0 keeps it. */
const ANSWERS: Readonly<Record<string, readonly Document[]>> = {
  "config.collections": [{ _id: "x_chat.sends", key: { _id: 1 }, uuid: "u" }],
  "config.chunks": [
    { uuid: "u", min: { _id: new MinKey() }, shard: "a" },
    { uuid: "u", min: { _id: "8000" }, shard: "b" },
  ],
  "x_chat.sends": [{ storageStats: { size: 5 } }, { storageStats: { size: 7 } }],
};
const SHARDS = [{ _id: "a" }, { _id: "b" }, { _id: "c", draining: true }];

describe("the cluster behind a database", () => {
  it("is none where no mongos answers", async () => {
    expect(await findCluster(databaseOf({ isWritablePrimary: true }, []))).to.equal(undefined);
  });

  it("tells its shards that take data, and of what is sharded the ranges and the size", async () => {
    const cluster = await findCluster(databaseOf({ msg: "isdbgrid" }, []));

    expect(await cluster?.read()).to.deep.equal({
      shards: ["a", "b"],
      collections: new Map([
        [
          "sends",
          {
            key: { _id: 1 },
            bytes: 12,
            ranges: [
              { from: "", shard: "a" },
              { from: "8000", shard: "b" },
            ],
          },
        ],
      ]),
    });
  });

  it("takes a step as a command of the database admin, whose answer may take any time", async () => {
    const commands: Document[] = [];
    const cluster = await findCluster(databaseOf({ msg: "isdbgrid" }, commands));

    await cluster?.take({ kind: "shard", collection: "sends", key: "_id" });

    expect(commands).to.deep.equal([{ shardCollection: "x_chat.sends", key: { _id: 1 } }]);
  });
});

/** `commands` are those that are asked where an answer may take any time. */
function databaseOf(hello: Document, commands: Document[], isPatient = false): Database {
  const command = async (asked: Document): Promise<Document> => {
    if ("hello" in asked) {
      return hello;
    }
    if ("listShards" in asked) {
      return { shards: SHARDS };
    }
    if (isPatient) {
      commands.push(asked);
    }
    return { ok: 1 };
  };
  const collection = (database: string) => (name: string) => {
    const cursor = { sort: () => cursor, toArray: async () => ANSWERS[`${database}.${name}`] ?? [] };
    return { find: () => cursor, aggregate: () => cursor };
  };
  const client = { db: (name: string) => ({ command, collection: collection(name) }) };
  const db = { databaseName: "x_chat", client, collection: collection("x_chat") };
  const patient = (): Database => databaseOf(hello, commands, true);
  return { db, patient, [Symbol.asyncDispose]: async () => undefined } as unknown as Database;
}
