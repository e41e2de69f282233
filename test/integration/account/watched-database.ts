import type { Collection, Db } from "../../../platform/mongo.ts";

/** What runs a verb of a collection (`sessions.bulkWrite`); of a `find`, the reading of all it finds. */
export type Around = (verb: string, run: () => Promise<unknown>) => Promise<unknown>;

/** A database each of whose questions goes through `around`. */
export function watched(db: Db, around: Around): Db {
  return { collection: (name: string) => watchedCollection(db.collection(name), around) } as unknown as Db;
}

/** A database, and how many times each verb was asked of it. */
export function counted(db: Db): { readonly db: Db; readonly counts: ReadonlyMap<string, number> } {
  const counts = new Map<string, number>();
  const count: Around = (verb, run) => {
    counts.set(verb, (counts.get(verb) ?? 0) + 1);
    return run();
  };
  return { db: watched(db, count), counts };
}

function watchedCollection(collection: Collection, around: Around): Collection {
  return new Proxy(collection, {
    get: (_target, name) => {
      const member: unknown = Reflect.get(collection, name);
      if (typeof member !== "function") {
        return member;
      }
      const verb = `${collection.collectionName}.${String(name)}`;
      return (...args: unknown[]) => {
        if (name === "find") {
          const cursor = collection.find(...(args as Parameters<Collection["find"]>));
          return { toArray: () => around(verb, () => cursor.toArray()) };
        }
        return around(verb, () => member.apply(collection, args));
      };
    },
  });
}
