import type { ServiceName } from "../proto/method.ts";
import type { TokenStore } from "./token-store.ts";

const TABLE = "refreshTokens";

/** What the store needs of a browser; a page's own when left out. */
export interface BrowserStorage {
  readonly indexedDB: IDBFactory;
  readonly locks: Pick<LockManager, "request">;
}

/**
 * A store for browsers: the tokens of one session in an IndexedDB database of the given name, the tabs of the origin take turns by a Web
 * Lock of that name (which a tab that is closed or crashes gives up by itself).
 */
export function browserTokenStore(
  name: string,
  { indexedDB, locks }: BrowserStorage = { indexedDB: globalThis.indexedDB, locks: globalThis.navigator.locks },
): TokenStore {
  let database: Promise<IDBDatabase> | undefined;
  const open = (): Promise<IDBDatabase> => {
    database ??= openDatabase(indexedDB, name).catch((error: unknown) => {
      database = undefined;
      throw error;
    });
    return database;
  };
  return {
    load: async (service) => {
      const request = (await open()).transaction(TABLE, "readonly").objectStore(TABLE).get(service);
      return answered<Uint8Array | undefined>(request);
    },
    save: async (service, refreshToken) => {
      // "strict": complete only once it is on the disk (https://w3c.github.io/IndexedDB/#transaction-durability-hint).
      const transaction = (await open()).transaction(TABLE, "readwrite", { durability: "strict" });
      transaction.objectStore(TABLE).put(refreshToken.slice(), service satisfies ServiceName);
      await completed(transaction);
    },
    exclusive: <T>(work: () => Promise<T>, signal?: AbortSignal) =>
      locks.request(`sallyport:${name}`, { mode: "exclusive", ...(signal && { signal }) }, work) as Promise<T>,
  };
}

function openDatabase(indexedDB: IDBFactory, name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(TABLE);
  };
  return answered(request);
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}
