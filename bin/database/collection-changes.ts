import type { CollectionSchema, Db } from "../../platform/mongo.ts";

/** The names of the indexes of each collection that is there. */
export type Indexes = ReadonlyMap<string, ReadonlySet<string>>;

/** The indexes of a database. */
export async function readIndexes(db: Db): Promise<Indexes> {
  const collections = await db.listCollections({ type: "collection" }, { nameOnly: true }).toArray();
  const named = collections.map(async ({ name }) => {
    const indexes = await db.collection(name).listIndexes().toArray();
    return [name, new Set(indexes.map((index) => String(index["name"])))] as const;
  });
  return new Map(await Promise.all(named));
}

/** A line for each collection of a schema: what came and went between two readings, or that nothing did. */
export function describeChanges(
  database: string,
  schemas: readonly CollectionSchema[],
  before: Indexes,
  after: Indexes,
): readonly string[] {
  return schemas.map(({ name }) => {
    const [then, since] = [before.get(name), after.get(name) ?? new Set<string>()];
    const made = [...since].filter((index) => then?.has(index) !== true);
    const dropped = [...(then ?? [])].filter((index) => !since.has(index));
    const changes = [
      ...(then === undefined ? ["made"] : []),
      ...(made.length > 0 ? [`indexes made: ${made.join(", ")}`] : []),
      ...(dropped.length > 0 ? [`indexes dropped: ${dropped.join(", ")}`] : []),
    ];
    return `${database}.${name}: ${changes.length > 0 ? changes.join("; ") : `found, with ${since.size} ${since.size === 1 ? "index" : "indexes"}`}`;
  });
}
