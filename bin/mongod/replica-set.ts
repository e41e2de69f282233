import { setTimeout as sleep } from "node:timers/promises";
import { type Collection, type Document, MongoClient } from "mongodb";
import { REPLICA_SET } from "./arguments.ts";

const MEMBER_HOST = /^127\.0\.0\.1:\d+$/;

/** The port is served by another process than the one that was meant. */
export class PortTakenError extends Error {
  override readonly name = "PortTakenError";
}

/** The replica set knows its member by another port than the one that it runs on. */
export class MemberElsewhereError extends Error {
  override readonly name = "MemberElsewhereError";
}

/**
 * Makes the server on a port the primary of its one-node replica set, initiating the set at first.
 * @throws PortTakenError when it is not the process `pid` that answers there, MemberElsewhereError when `renameMember` must be called first.
 */
export async function ensurePrimary(port: number, pid: number, stop: AbortSignal): Promise<void> {
  await withServer(port, pid, async (client) => {
    const admin = client.db("admin");
    const current = await configurations(client).findOne();
    if (current === null) {
      await admin.command({ replSetInitiate: firstConfiguration(hostOf(port)) });
    } else if (memberHost(current) !== hostOf(port)) {
      throw new MemberElsewhereError(`the database's replica set is at ${memberHost(current)}, not at ${hostOf(port)}`);
    }

    while ((await admin.command({ hello: 1 }))["isWritablePrimary"] !== true) {
      await sleep(10, undefined, { signal: stop });
    }
  });
}

/**
 * Tells the replica set that its member is at this port, by way of the server that runs there on its own, outside the set (as MongoDB's manual advises for new
 * host names). Doing it by a forced reconfiguration would be simpler, but a server that starts asks its former port first whether it is itself who serves
 * there, and waits half a minute for whoever accepts that connection and says nothing.
 */
export async function renameMember(port: number, pid: number): Promise<void> {
  await withServer(port, pid, async (client) => {
    const current = await configurations(client).findOne();
    if (current !== null && memberHost(current) !== hostOf(port)) {
      const change = { $set: { "members.0.host": hostOf(port) }, $inc: { version: 1 } };
      await configurations(client).updateOne({ _id: current["_id"] }, change, { writeConcern: { w: 1, j: true } });
    }
  });
}

/** The configuration of a set that has one member, which waits for nobody when it elects itself. */
export function firstConfiguration(host: string): Document {
  return { _id: REPLICA_SET, members: [{ _id: 0, host }], settings: { electionTimeoutMillis: 500 } };
}

/** By which address a set knows its one member. Throws when the set is not one that the launcher made. */
export function memberHost(configuration: Document): string {
  const [member, ...others] = configuration["members"] as readonly { readonly host: string }[];
  if (member === undefined || others.length > 0 || !MEMBER_HOST.test(member.host)) {
    throw new Error("the database's replica set is not the launcher's own one-node set");
  }
  return member.host;
}

async function withServer(port: number, pid: number, act: (client: MongoClient) => Promise<void>): Promise<void> {
  const client = new MongoClient(`mongodb://${hostOf(port)}/`, { directConnection: true, serverSelectionTimeoutMS: 10_000 });
  try {
    const status = await client.db("admin").command({ serverStatus: 1, repl: 0, metrics: 0, wiredTiger: 0, locks: 0 });
    if (Number(status["pid"]) !== pid) {
      throw new PortTakenError(`port ${port} is served by process ${status["pid"]}`);
    }
    await act(client);
  } finally {
    await client.close();
  }
}

/** Where a member of a replica set keeps the set's configuration. */
function configurations(client: MongoClient): Collection {
  return client.db("local").collection("system.replset");
}

function hostOf(port: number): string {
  return `127.0.0.1:${port}`;
}
