import type { BrowserStorage } from "../../../client/browser-token-store.ts";

/** What a page was asked for, and the hands that complete its writes. */
export interface FakeBrowser extends BrowserStorage {
  readonly locksAskedFor: string[];
  readonly durabilities: (string | undefined)[];
  /** Resolves when a write transaction waits. */
  readonly writing: Promise<void>;
  /** Completes, or fails, the write transaction that waits. */
  readonly settleWrite: (outcome: "complete" | "abort") => void;
}

interface FakeRequest {
  result?: unknown;
  onsuccess?: () => void;
  onupgradeneeded?: () => void;
}

/** The few calls of IndexedDB and Web Locks that the store makes, in memory. A write waits until the test settles it. */
export function fakeBrowser(): FakeBrowser {
  const rows = new Map<string, Uint8Array>();
  const durabilities: (string | undefined)[] = [];
  const locksAskedFor: string[] = [];
  let settle: FakeBrowser["settleWrite"] = () => undefined;
  let begun = (): void => undefined;
  const writing = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let isMade = false;

  const transaction = (_table: string, mode: string, options?: { durability: string }): unknown => {
    const made: { oncomplete?: () => void; onabort?: () => void; error: Error; objectStore: () => unknown } = {
      error: new Error("the disk is full"),
      objectStore: () => ({
        get: (key: string) => answer(rows.get(key)),
        put: (bytes: Uint8Array, key: string) => {
          settle = (outcome) => {
            if (outcome === "complete") {
              rows.set(key, bytes);
              made.oncomplete?.();
            } else {
              made.onabort?.();
            }
          };
          begun();
        },
      }),
    };
    if (mode === "readwrite") {
      durabilities.push(options?.durability);
    }
    return made;
  };
  const open = (): FakeRequest => {
    const request = answer({ createObjectStore: () => undefined, transaction });
    if (!isMade) {
      isMade = true;
      queueMicrotask(() => request.onupgradeneeded?.());
    }
    return request;
  };
  const request = (name: string, _options: unknown, work: () => Promise<unknown>): Promise<unknown> => {
    locksAskedFor.push(name);
    return work();
  };
  return {
    locksAskedFor,
    durabilities,
    writing,
    settleWrite: (outcome) => settle(outcome),
    indexedDB: { open } as unknown as IDBFactory,
    locks: { request } as unknown as LockManager,
  };
}

function answer(result: unknown): FakeRequest {
  const request: FakeRequest = { result };
  setImmediate(() => request.onsuccess?.());
  return request;
}
