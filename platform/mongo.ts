import { type Collection, type Db, type Document, MongoClient, MongoError, MongoNetworkError, MongoServerError } from "mongodb";
import { unavailable } from "./errors.ts";

/** A service's own database. Writes wait for a majority, reads see only what a majority has. */
export interface Database extends AsyncDisposable {
  readonly db: Db;
  /** Whether a primary answers. */
  isUp(): Promise<boolean>;
}

/**
 * Connects to the database that the URI names (default `sallyport`) with `_<service>` behind it. Does not wait for a server:
 * operations wait up to 2 s for one.
 */
export function openDatabase(uri: string, service: string): Database {
  const client = new MongoClient(uri, {
    appName: `sallyport-${service}`,
    writeConcern: { w: "majority" },
    readConcern: { level: "majority" },
    readPreference: "primary",
    retryWrites: true,
    serverSelectionTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
    socketTimeoutMS: 10_000,
    maxPoolSize: 32,
    ignoreUndefined: true,
    promoteBuffers: true,
  });
  const base =
    new URL(uri.replace(/^mongodb(\+srv)?:/, "http:").replace(/\/\/([^/@]*@)?[^/?]*/, "//hosts")).pathname.slice(1) || "sallyport";
  return {
    db: client.db(`${base}_${service}`),
    isUp: async () => {
      try {
        // A client whose first connection failed stays closed until it is told to connect again; connected, it does nothing.
        await client.connect();
        const hello = await client.db("admin").command({ hello: 1 }, { timeoutMS: 1_000 });
        return hello["isWritablePrimary"] === true || hello["msg"] === "isdbgrid";
      } catch {
        return false;
      }
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** A collection's name and the indexes that its queries need. */
export interface CollectionSchema {
  readonly name: string;
  readonly indexes: readonly {
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
    }
  }
}

const UNAVAILABLE_CODES = new Set([
  6, 7, 24, 50, 64, 89, 91, 112, 133, 134, 189, 202, 262, 317, 358, 9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436,
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
