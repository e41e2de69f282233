import { setTimeout as sleep } from "node:timers/promises";
import { type Document, MongoClient, MongoServerError } from "mongodb";
import { REPLICA_SET } from "./arguments.ts";

const NOT_YET_INITIALIZED = 94;
const MEMBER_NAME = /^127\.0\.0\.1:\d+$/;

/** The port is served by another process than the one that was meant. */
export class PortTakenError extends Error {
  override readonly name = "PortTakenError";
}

/**
 * Makes the server on a port the primary of its one-node replica set: initiates the set at first, moves it when the port is another than the last time.
 * @throws PortTakenError when it is not the process `pid` that answers there.
 */
export async function ensurePrimary(port: number, pid: number, stop: AbortSignal): Promise<void> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/`, { directConnection: true, serverSelectionTimeoutMS: 10_000 });
  try {
    const admin = client.db("admin");
    const status = await admin.command({ serverStatus: 1, repl: 0, metrics: 0, wiredTiger: 0, locks: 0 });
    if (Number(status["pid"]) !== pid) {
      throw new PortTakenError(`port ${port} is served by process ${status["pid"]}`);
    }

    const host = `127.0.0.1:${port}`;
    const current = await readConfiguration((command) => admin.command(command));
    if (current === undefined) {
      await admin.command({ replSetInitiate: firstConfiguration(host) });
    } else if (needsMove(current, host)) {
      await admin.command({ replSetReconfig: moved(current, host), force: true });
    }

    while ((await admin.command({ hello: 1 }))["isWritablePrimary"] !== true) {
      await sleep(10, undefined, { signal: stop });
    }
  } finally {
    await client.close();
  }
}

/** The configuration of a set that has one member, which waits for nobody when it elects itself. */
export function firstConfiguration(host: string): Document {
  return { _id: REPLICA_SET, members: [{ _id: 0, host }], settings: { electionTimeoutMillis: 500 } };
}

/** Whether the one member of a set is known by another address of this machine. */
export function needsMove(configuration: Document, host: string): boolean {
  const members = configuration["members"] as readonly { readonly host: string }[];
  const [member] = members;
  if (members.length !== 1 || member === undefined || !MEMBER_NAME.test(member.host)) {
    throw new Error("the database's replica set is not the launcher's own one-node set");
  }
  return member.host !== host;
}

/** The same configuration with its one member at another address. */
export function moved(configuration: Document, host: string): Document {
  const members = configuration["members"] as readonly Document[];
  return { ...configuration, version: Number(configuration["version"]) + 1, members: members.map((member) => ({ ...member, host })) };
}

async function readConfiguration(run: (command: Document) => Promise<Document>): Promise<Document | undefined> {
  try {
    return (await run({ replSetGetConfig: 1 }))["config"];
  } catch (error) {
    if (error instanceof MongoServerError && error.code === NOT_YET_INITIALIZED) {
      return undefined;
    }
    throw error;
  }
}
