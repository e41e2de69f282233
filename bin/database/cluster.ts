import type { Database, Db, Document } from "../../platform/mongo.ts";
import { type ClusterState, commandOf, type Range, type ShardedCollection, type Step } from "./sharding-plan.ts";

/** A sharded cluster, as far as one database of it is concerned. */
export interface Cluster {
  readonly database: string;
  read(): Promise<ClusterState>;
  take(step: Step): Promise<void>;
}

/** The cluster behind a database; undefined when it is not sharded. */
export async function findCluster(database: Database): Promise<Cluster | undefined> {
  const { db } = database;
  const hello = await db.client.db("admin").command({ hello: 1 });
  if (hello["msg"] !== "isdbgrid") {
    return undefined;
  }
  return {
    database: db.databaseName,
    read: () => readState(db),
    take: async (step) => {
      // A range takes as long to move as it is large.
      await using patient = database.patient();
      await patient.db.client.db("admin").command(commandOf(step, db.databaseName));
    },
  };
}

async function readState(db: Db): Promise<ClusterState> {
  const { databaseName } = db;
  const config = db.client.db("config");
  const { shards } = (await db.client.db("admin").command({ listShards: 1 })) as { shards: { _id: string; draining?: boolean }[] };
  const sharded = await config
    .collection<{ _id: string; key: Document; uuid: unknown }>("collections")
    // A slash, which no name has, comes next after the dot. Of a whole collection that the cluster keeps books of (MongoDB 8), nothing is sharded.
    .find({ _id: { $gte: `${databaseName}.`, $lt: `${databaseName}/` }, dropped: { $ne: true }, unsplittable: { $ne: true } })
    .toArray();
  const collections = new Map<string, ShardedCollection>();
  for (const { _id, key, uuid } of sharded) {
    const name = _id.slice(databaseName.length + 1);
    collections.set(name, { key, bytes: await measure(db, name), ranges: await readRanges(config, key, uuid) });
  }
  return { shards: shards.filter(({ draining }) => draining !== true).map(({ _id }) => _id), collections };
}

async function readRanges(config: Db, key: Document, uuid: unknown): Promise<readonly Range[]> {
  const [field = ""] = Object.keys(key);
  const chunks = await config.collection<{ min: Document; shard: string }>("chunks").find({ uuid }).sort({ min: 1 }).toArray();
  return chunks.map(({ min, shard }) => ({ from: typeof min[field] === "string" ? min[field] : "", shard }));
}

async function measure(db: Db, collection: string): Promise<number> {
  const stats = await db
    .collection(collection)
    .aggregate<{ storageStats: { size: number } }>([{ $collStats: { storageStats: {} } }])
    .toArray();
  return stats.reduce((total, { storageStats }) => total + storageStats.size, 0);
}
