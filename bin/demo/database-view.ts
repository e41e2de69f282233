import type { Database, Db, Document } from "../../platform/mongo.ts";
import { openDatabase } from "../../platform/mongo.ts";

/** A look into the databases of a stack from behind its back. */
export interface DatabaseView extends AsyncDisposable {
  /** Every collection that holds anything, as "chat.inbox", with its number of documents. */
  readonly counts: () => Promise<readonly string[]>;
  /** The collections that hold these bytes, as they are or with all of them shifted by one amount. */
  readonly tracesOf: (body: Uint8Array) => Promise<readonly string[]>;
  /** The bytes that wait under a message's id; undefined when there are none. */
  readonly waitingBytes: (messageId: string) => Promise<Uint8Array | undefined>;
}

/** Opens the databases that a URI names. */
export function viewDatabase(uri: string): DatabaseView {
  const databases = new Map<string, Database>(["account", "chat"].map((service) => [service, openDatabase(uri, service)]));
  const collections = async (): Promise<readonly { name: string; find: () => Promise<Document[]> }[]> => {
    const lists = await Promise.all(
      [...databases].map(async ([service, { db }]) =>
        (await namesIn(db)).map((name) => ({ name: `${service}.${name}`, find: () => db.collection(name).find().toArray() })),
      ),
    );
    return lists.flat();
  };
  return {
    counts: async () => {
      const counted = await Promise.all((await collections()).map(async ({ name, find }) => ({ name, count: (await find()).length })));
      return counted.filter(({ count }) => count > 0).map(({ name, count }) => `${name} ${count}`);
    },
    tracesOf: async (body) => {
      const searched = await Promise.all(
        (await collections()).map(async ({ name, find }) => ({ name, found: (await find()).some((document) => holds(document, body)) })),
      );
      return searched.filter(({ found }) => found).map(({ name }) => name);
    },
    waitingBytes: async (messageId) => {
      const document = await databases.get("chat")?.db.collection<{ _id: string }>("inbox").findOne({ _id: messageId });
      return document ? longest(bytesIn(document, () => [])) : undefined;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...databases.values()].map((database) => database[Symbol.asyncDispose]()));
    },
  };
}

async function namesIn(db: Db): Promise<readonly string[]> {
  return (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();
}

function holds(value: unknown, body: Uint8Array): boolean {
  const wanted = differences(body);
  return bytesIn(value, (text) => [Buffer.from(text)]).some((bytes) => bytes.length >= body.length && differences(bytes).includes(wanted));
}

/** From each byte to the next: the same for all shifts of a text. */
function differences(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.subarray(1).map((byte, index) => byte - (bytes[index] ?? 0)));
}

/** Every run of bytes within a document, and what `ofText` makes of its texts. */
function bytesIn(value: unknown, ofText: (text: string) => readonly Uint8Array[]): readonly Uint8Array[] {
  if (typeof value === "string") {
    return ofText(value);
  }
  if (value instanceof Uint8Array) {
    return [value];
  }
  if (typeof value !== "object" || value === null) {
    return [];
  }
  return Object.values(value).flatMap((part) => bytesIn(part, ofText));
}

function longest(runs: readonly Uint8Array[]): Uint8Array | undefined {
  return [...runs].sort((one, other) => other.length - one.length)[0];
}
