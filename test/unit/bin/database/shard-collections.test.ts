import { expect } from "chai";
import { MongoServerError } from "mongodb";
import { shardCollections } from "../../../../bin/database/shard-collections.ts";
import { FakeCluster } from "./fake-cluster.ts";

const SCHEMAS = [
  { name: "sends", shardKey: "_id", indexes: [] },
  { name: "reports", indexes: [] },
];
const SPREAD = [
  { from: "", shard: "a" },
  { from: "8000", shard: "b" },
];
const BUSY = 117;
const UNAUTHORIZED = 13;

describe("sharding the collections of a database", () => {
  it("spreads them over the shards, and prints a line for each thing that it does", async () => {
    const cluster = new FakeCluster("a", "b");
    const lines: string[] = [];

    await shardCollections(cluster, SCHEMAS, (line) => lines.push(line));

    expect(cluster.rangesOf("sends")).to.deep.equal(SPREAD);
    expect(lines).to.deep.equal([
      "sallyport_chat: sharding enabled: done",
      "sallyport_chat.sends: sharded by _id: done",
      "sallyport_chat.sends: cut at 8000: done",
      "sallyport_chat.sends: the range from 8000 moved to b: done",
      "sallyport_chat.sends: sharded by _id, 2 ranges on 2 of 2 shards",
      "sallyport_chat.reports: whole, on the primary shard",
    ]);
  });

  it("does nothing the second time", async () => {
    const cluster = new FakeCluster("a", "b");
    await shardCollections(cluster, SCHEMAS, () => undefined);
    const first = cluster.commands.length;

    await shardCollections(cluster, SCHEMAS, () => undefined);

    expect(cluster.commands.length).to.equal(first);
  });

  it("may be done by several at once", async () => {
    const cluster = new FakeCluster("a", "b");

    await Promise.all([1, 2, 3].map(() => shardCollections(cluster, SCHEMAS, () => undefined, 1)));

    expect(cluster.rangesOf("sends")).to.deep.equal(SPREAD);
  });

  it("spreads what is there over a shard that was added", async () => {
    const cluster = new FakeCluster("a", "b");
    await shardCollections(cluster, SCHEMAS, () => undefined);
    cluster.shards = ["a", "b", "c"];

    await shardCollections(cluster, SCHEMAS, () => undefined);

    expect(new Set(cluster.rangesOf("sends").map(({ shard }) => shard))).to.deep.equal(new Set(["a", "b", "c"]));
  });

  it("tries a step again that a busy cluster puts off", async () => {
    const cluster = new FakeCluster("a", "b");
    cluster.faults.push(serverError(BUSY), serverError(BUSY));

    await shardCollections(cluster, SCHEMAS, () => undefined, 1);

    expect(cluster.rangesOf("sends")).to.deep.equal(SPREAD);
  });

  it("says at once which role is missing", async () => {
    const cluster = new FakeCluster("a", "b");
    cluster.faults.push(serverError(UNAUTHORIZED));

    const error = await shardCollections(cluster, SCHEMAS, () => undefined, 1).catch((thrown: Error) => thrown);

    expect(error).to.have.property(
      "message",
      "sallyport_chat: sharding enabled: failed: no: the user of MONGODB_URI needs the role clusterManager",
    );
  });

  it("gives up naming what goes through for nobody", async () => {
    const cluster = new FakeCluster("a", "b");
    cluster.faults.push(...Array.from({ length: 100 }, () => serverError(BUSY)));

    const error = await shardCollections(cluster, SCHEMAS, () => undefined, 1).catch((thrown: Error) => thrown);

    expect(error).to.have.property("message", "sallyport_chat: sharding enabled: failed: no");
  });
});

function serverError(code: number): MongoServerError {
  return new MongoServerError({ message: "no", code });
}
