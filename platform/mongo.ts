import { type Collection, type Db, type Document, MongoClient, MongoError, MongoNetworkError, MongoServerError } from "mongodb";
import { unavailable } from "./errors.ts";

/** A service's own database. Writes wait for a majority, reads see only what a majority has. */
export interface Database extends AsyncDisposable {
  readonly db: Db;
  /** Whether a primary answers whose writes a majority follows. */
  isUp(): Promise<boolean>;
  /** The same database over connections of its own, on which an answer may take any time while its server lives: for what grows with the data. */
  patient(): Database;
}

/** How often each server is looked at; with the 2 s that a look may take, a hung one is found out, and what waits for it cut off, in 3 s. */
const LOOK_EVERY_MS = 1_000;
/** A write that no majority has after so long is answered as unavailable: only the primary's own loss of its majority would end it otherwise. */
const MAJORITY_MS = 3_000;
/** Twice that, as the driver tries twice, is below the deadline of calls: what hangs surfaces as unavailable before. */
const ANSWER_MS = 4_000;

/**
 * Connects to the database that the URI names (default `sallyport`) with `_<service>` behind it. Does not wait for a server:
 * operations wait up to 2 s for one, and `answerMs` for each of two answers (0: while the server lives). The driver's `timeoutMS` does
 * nothing in this version.
 */
export function openDatabase(uri: string, service: string, answerMs: number = ANSWER_MS): Database {
  const client = new MongoClient(uri, {
    appName: `sallyport-${service}`,
    writeConcern: { w: "majority", wtimeoutMS: Math.min(MAJORITY_MS, answerMs) },
    readConcern: { level: "majority" },
    readPreference: "primary",
    retryWrites: true,
    serverSelectionTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
    socketTimeoutMS: answerMs,
    heartbeatFrequencyMS: LOOK_EVERY_MS,
    maxPoolSize: 32,
    ignoreUndefined: true,
    promoteBuffers: true,
  });
  const base =
    new URL(uri.replace(/^mongodb(\+srv)?:/, "http:").replace(/\/\/([^/@]*@)?[^/?]*/, "//hosts")).pathname.slice(1) || "sallyport";
  const db = client.db(`${base}_${service}`);
  return {
    db,
    isUp: async () => {
      try {
        // A client whose first connection failed stays closed until it is told to connect again; connected, it does nothing.
        await client.connect();
        // Nothing is ever in there. A write that changes nothing waits for a majority too, which a primary may have lost without knowing it.
        await db.collection("pulse").deleteOne({});
        return true;
      } catch {
        return false;
      }
    },
    patient: () => openDatabase(uri, service, 0),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** A collection's name, the indexes that its queries need, and the key that it is spread by over the shards of a cluster. */
export interface CollectionSchema {
  readonly name: string;
  /**
   * A field that every document has: text whose first characters are uniformly random lower-case hexadecimal digits, so that equal ranges of it
   * hold equally much. An index begins with it. Undefined: the collection stays whole, on the database's primary shard.
   */
  readonly shardKey?: string;
  readonly indexes: readonly {
    /** Undefined: made from the key. An index takes the place of one with the same key under a name of its own. */
    readonly name?: string;
    readonly key: Document;
    readonly unique?: boolean;
    readonly expireAfterSeconds?: number;
    readonly partialFilterExpression?: Document;
  }[];
}

/** Creates the collections and indexes that are missing; repeating it changes nothing. */
export async function createIndexes(db: Db, schemas: readonly CollectionSchema[]): Promise<void> {
  for (const { name, indexes } of schemas) {
    if (indexes.length > 0) {
      await db.collection(name).createIndexes(indexes.map((index) => ({ ...index })));
    } else {
      await unless(NAMESPACE_EXISTS, () => db.createCollection(name));
    }
  }
}

/** Drops an index by its name, if there is one. */
export async function dropIndex(db: Db, collection: string, name: string): Promise<void> {
  await unless(NAMESPACE_NOT_FOUND, () => unless(INDEX_NOT_FOUND, () => db.collection(collection).dropIndex(name)));
}

const NAMESPACE_NOT_FOUND = 26;
const INDEX_NOT_FOUND = 27;
const NAMESPACE_EXISTS = 48;

async function unless(code: number, operation: () => Promise<unknown>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === code)) {
      throw error;
    }
  }
}

const UNAVAILABLE_CODES = new Set([
  6, 7, 24, 43, 50, 64, 89, 91, 112, 133, 134, 175, 189, 202, 237, 262, 317, 358, 9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436,
  14031,
]);

/** Whether an error says that the database cannot be asked (or cannot promise what it wrote), rather than that the question was wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof MongoNetworkError) {
    return true;
  }
  if (error instanceof MongoServerError) {
    // A bulk write turns the driver's own errors into a server's error without a number.
    return (
      typeof error.code !== "number" ||
      UNAVAILABLE_CODES.has(error.code) ||
      error.hasErrorLabel("RetryableWriteError") ||
      hasWriteConcernError(error)
    );
  }
  // The driver's own: server selection, pool, time-outs, closed topology; or Node's, which the driver lets through (EPIPE).
  return error instanceof MongoError || (error instanceof Error && "syscall" in error) || isClosedSocket(error);
}

/** Runs an operation of a store; what says that the database cannot be asked becomes UNAVAILABLE. */
export async function asking<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (isDatabaseUnavailable(error)) {
      throw unavailable("the database cannot be asked", "DATABASE_UNAVAILABLE", error);
    }
    throw error;
  }
}

function isClosedSocket(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}

function hasWriteConcernError(error: MongoServerError): boolean {
  const details = error as unknown as { writeConcernError?: unknown; result?: { getWriteConcernError?: () => unknown } };
  return details.writeConcernError !== undefined || details.result?.getWriteConcernError?.() !== undefined;
}

export type { Collection, Db, Document };
