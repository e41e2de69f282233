import { type Document, MongoClient } from "mongodb";
import { REPLICA_SET } from "./arguments.ts";

/** Longer than a busy server takes to answer; one that is paused never does. */
const ANSWER_MS = 2_000;
const SLOW_ANSWER_MS = 30_000;

/** What a server of a replica set is at the moment; "other" while it starts, recovers or cannot be asked. */
export type MemberState = "primary" | "secondary" | "other";

/** How soon the servers of a set find out about each other, and how long a new primary looks for writes that no majority has. Left out: as MongoDB has it. */
export interface SetSettings {
  readonly electionTimeoutMillis?: number;
  readonly heartbeatIntervalMillis?: number;
  readonly heartbeatTimeoutSecs?: number;
  readonly catchUpTimeoutMillis?: number;
}

/** A set misses its primary after 2 s. */
const QUICK: SetSettings = { electionTimeoutMillis: 2_000, heartbeatIntervalMillis: 500, heartbeatTimeoutSecs: 2 };

/** Makes servers one replica set, by the addresses under which all of them reach each other. The server on `port` is the first of them. */
export async function initiateSet(port: number, hosts: readonly string[], settings: SetSettings = QUICK): Promise<void> {
  const members = hosts.map((host, index) => ({ _id: index, host }));
  await command(port, { replSetInitiate: { _id: REPLICA_SET, members, settings } }, SLOW_ANSWER_MS);
}

/** The URI by which clients reach the servers of a set. */
export function setUri(hosts: readonly string[]): string {
  return `mongodb://${hosts.join(",")}/sallyport?replicaSet=${REPLICA_SET}`;
}

/** What the server on a port is. */
export async function stateOf(port: number): Promise<MemberState> {
  try {
    const hello = await command(port, { hello: 1 }, ANSWER_MS);
    if (hello["isWritablePrimary"] === true) {
      return "primary";
    }
    return hello["secondary"] === true ? "secondary" : "other";
  } catch {
    return "other";
  }
}

/** Has the primary on a port step down, and not stand for election again for so many seconds. */
export async function stepDown(port: number, seconds: number): Promise<void> {
  await command(port, { replSetStepDown: seconds, secondaryCatchUpPeriodSecs: Math.min(seconds, 5), force: true }, SLOW_ANSWER_MS);
}

/** Has the server on a port write nothing until `unlockWrites`: the nearest that MongoDB has to a read-only database. */
export async function lockWrites(port: number): Promise<void> {
  await command(port, { fsync: 1, lock: true }, SLOW_ANSWER_MS);
}

/** Undoes `lockWrites`. */
export async function unlockWrites(port: number): Promise<void> {
  await command(port, { fsyncUnlock: 1 }, SLOW_ANSWER_MS);
}

/** Has the server on a port write down now what it holds in memory. @throws Error when it dies of that, as on a full disk */
export async function writeDown(port: number): Promise<void> {
  await command(port, { fsync: 1 }, SLOW_ANSWER_MS);
}

async function command(port: number, words: Document, withinMs: number): Promise<Document> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/`, {
    directConnection: true,
    serverSelectionTimeoutMS: ANSWER_MS,
    connectTimeoutMS: ANSWER_MS,
    socketTimeoutMS: withinMs,
  });
  try {
    return await client.db("admin").command(words);
  } finally {
    await client.close();
  }
}
