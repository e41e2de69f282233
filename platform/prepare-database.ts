import { setTimeout as sleep } from "node:timers/promises";
import { type DatabaseSchema, type MigrationEvents, migrate, readVersion } from "./database-schema.ts";
import { createIndexes, type Database, isDatabaseUnavailable } from "./mongo.ts";

/** What is told while a database is prepared. */
export interface PreparationEvents extends MigrationEvents {
  /** It has to be waited for; told once. */
  databaseAwaited(): void;
}

const RETRY_MS = 250;

/**
 * Waits for a service's database, however long it takes, makes its collections, and migrates older data. Any number of processes may do so at once.
 * @throws Error when the database is of a newer version than the schema.
 */
export async function prepareDatabase(database: Database, schema: DatabaseSchema, events: PreparationEvents): Promise<void> {
  for (let said = false; ; said = true) {
    try {
      if (await database.isUp()) {
        await prepare(database, schema, events);
        return;
      }
    } catch (error) {
      // A primary that went away in between: wait for the next. Or an index that takes longer than an answer may: it is built all the same, and asked for again.
      if (!isDatabaseUnavailable(error)) {
        throw error;
      }
    }
    if (!said) {
      events.databaseAwaited();
    }
    await sleep(RETRY_MS);
  }
}

async function prepare({ db }: Database, schema: DatabaseSchema, events: PreparationEvents): Promise<void> {
  const version = await readVersion(db, schema);
  await createIndexes(db, schema.collections);
  await migrate(db, schema, version, events);
  // Somebody newer may have been at it meanwhile.
  await readVersion(db, schema);
}
