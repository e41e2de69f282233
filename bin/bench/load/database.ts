import { randomUUID } from "node:crypto";
import { MongoClient } from "mongodb";
import type { DatabaseOperation, TaskResult } from "../task.ts";
import { MeasuredWindow, type WindowEdges, type WindowTimes } from "./window.ts";

/** A document of the floor: as large as a message of 128 bytes. */
interface FloorDocument {
  _id: string;
  owner: string;
  order: number;
  body: Buffer;
  turn?: number;
}

const BODY = Buffer.alloc(128, 0x62);

/** One operation of the database with a majority write, over and over, with so many in flight: what a path costs that does nothing else. */
export async function database(
  { uri, operation, atOnce, times }: { uri: string; operation: DatabaseOperation; atOnce: number; times: WindowTimes },
  edges: WindowEdges,
): Promise<TaskResult> {
  const client = new MongoClient(uri, { writeConcern: { w: "majority" }, maxPoolSize: atOnce });
  const documents = client.db("floor").collection<FloorDocument>("documents");
  await documents.deleteMany({});
  const ids = Array.from({ length: atOnce }, () => randomUUID());
  await documents.insertMany(ids.map((_id, order) => ({ _id, owner: "", order, body: BODY })));
  const operations: Readonly<Record<DatabaseOperation, (lane: number) => Promise<unknown>>> = {
    insert: () => documents.insertOne({ _id: randomUUID(), owner: "", order: 0, body: BODY }),
    "insert-delete": async () => {
      const _id = randomUUID();
      await documents.insertOne({ _id, owner: "", order: 0, body: BODY });
      await documents.deleteOne({ _id });
    },
    "find-and-update": (lane) => documents.findOneAndUpdate({ _id: ids[lane] ?? "" }, { $inc: { turn: 1 } }),
  };
  const window = new MeasuredWindow(times, edges);
  await Promise.all(
    ids.map(async (_, lane) => {
      while (!window.isOver) {
        const startedAt = performance.now();
        await operations[operation](lane);
        window.count(performance.now() - startedAt);
      }
    }),
  );
  await client.db("floor").dropDatabase();
  await client.close();
  return { operations: window.operations, seconds: window.seconds, latency: window.latency, wrong: [] };
}

/** One find of documents of a message's size by an index, in its order. */
export async function find({ uri, documents: count }: { uri: string; documents: number }, edges: WindowEdges): Promise<TaskResult> {
  const client = new MongoClient(uri, { writeConcern: { w: "majority" } });
  const documents = client.db("floor").collection<FloorDocument>("documents");
  await documents.deleteMany({});
  await documents.createIndex({ owner: 1, order: 1 });
  const owner = randomUUID();
  await documents.insertMany(Array.from({ length: count }, (_, order) => ({ _id: randomUUID(), owner, order, body: BODY })));
  edges.began();
  const startedAt = performance.now();
  const found = await documents.find({ owner }).sort({ order: 1 }).toArray();
  const seconds = (performance.now() - startedAt) / 1000;
  edges.ended();
  await client.db("floor").dropDatabase();
  await client.close();
  return {
    operations: found.length,
    seconds,
    latency: undefined,
    wrong: found.length === count ? [] : ["the floor's find lost documents"],
  };
}
