import { setTimeout as sleep } from "node:timers/promises";
import { type DatabaseSchema, type MigrationEvents, migrate, readVersion } from "./database-schema.ts";
import { createIndexes, type Database, isDatabaseUnavailable } from "./mongo.ts";

/** What is told while a database is prepared. */
export interface PreparationEvents extends MigrationEvents {
  /** It has to be waited for; told once. */
  databaseAwaited(): void;
  /** Its indexes are being built, which takes as long as there is data. */
  indexesAwaited(): void;
}

const RETRY_MS = 250;
/** Longer than indexes take that are there, or that nothing is in. */
const SLOW_INDEXES_MS = 2_000;

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
      // A primary that went away in between: wait for the next.
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

async function prepare(database: Database, schema: DatabaseSchema, events: PreparationEvents): Promise<void> {
  const version = await readVersion(database.db, schema);
  // Who does not wait for an index leaves its building behind, and asks for one more beside it.
  await using patient = database.patient();
  const slow = setTimeout(() => events.indexesAwaited(), SLOW_INDEXES_MS);
  try {
    await createIndexes(patient.db, schema.collections);
  } finally {
    clearTimeout(slow);
  }
  await migrate(patient.db, schema, version, events);
  // Somebody newer may have been at it meanwhile.
  await readVersion(database.db, schema);
}
