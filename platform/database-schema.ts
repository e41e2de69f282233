import type { CollectionSchema, Db } from "./mongo.ts";

/** All of a service's database: its collections, and what makes the data of older versions this one's. */
export interface DatabaseSchema {
  readonly collections: readonly CollectionSchema[];
  /** The first leads from version 1 to version 2. */
  readonly migrations: readonly Migration[];
}

/** Makes the data of one version that of the next. Repeating it, also in parallel, changes nothing, and programs of the version before go on beside it. */
export type Migration = (db: Db) => Promise<void>;

/** What is told of the versions of a database. */
export interface MigrationEvents {
  /** Its data is of that version from here on. */
  databaseMigrated(version: number): void;
}

interface VersionDocument {
  readonly _id: "schema";
  readonly version: number;
}

/** The version that a schema's programs work with. */
export function versionOf({ migrations }: DatabaseSchema): number {
  return migrations.length + 1;
}

/**
 * The version of a database, which a fresh one has of the schema; one with our collections from before versions were written down is of version 1.
 * @throws Error when it is newer than the schema.
 */
export async function readVersion(db: Db, schema: DatabaseSchema): Promise<number> {
  const found =
    (await versionsOf(db).findOne({ _id: "schema" }))?.version ??
    (await writeVersion(db, (await isFresh(db, schema)) ? versionOf(schema) : 1));
  if (found > versionOf(schema)) {
    throw new Error(
      `the database ${db.databaseName} is of version ${found}, and this program knows only version ${versionOf(schema)}: run the program that made it so, or a newer one`,
    );
  }
  return found;
}

/** Migrates a database from a version to the schema's, one version after the other. */
export async function migrate(db: Db, schema: DatabaseSchema, from: number, { databaseMigrated }: MigrationEvents): Promise<void> {
  for (const [index, run] of schema.migrations.entries()) {
    const version = index + 2;
    if (version > from) {
      await run(db);
      const raised = await versionsOf(db).updateOne({ _id: "schema", version: { $lt: version } }, { $set: { version } });
      if (raised.modifiedCount === 1) {
        databaseMigrated(version);
      }
    }
  }
}

/** Writes the version down, unless there is one. Answers the one that there is. */
async function writeVersion(db: Db, version: number): Promise<number> {
  const options = { upsert: true, returnDocument: "after" } as const;
  const written = await versionsOf(db).findOneAndUpdate({ _id: "schema" }, { $setOnInsert: { version } }, options);
  return written?.version ?? version;
}

async function isFresh(db: Db, { collections }: DatabaseSchema): Promise<boolean> {
  const there = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name));
  return !collections.some(({ name }) => there.has(name));
}

function versionsOf(db: Db): ReturnType<typeof db.collection<VersionDocument>> {
  return db.collection<VersionDocument>("schema");
}
