import { setTimeout as sleep } from "node:timers/promises";
import { type CollectionSchema, createIndexes, type Database, isDatabaseUnavailable } from "./mongo.ts";

const RETRY_MS = 250;

/** Waits for a service's database, however long it takes, and makes its collections. `awaited` is told once when it has to wait. */
export async function prepareDatabase(database: Database, schemas: readonly CollectionSchema[], awaited: () => void): Promise<void> {
  for (let said = false; ; said = true) {
    try {
      if (await database.isUp()) {
        await createIndexes(database.db, schemas);
        return;
      }
    } catch (error) {
      // A primary that went away in between: wait for the next.
      if (!isDatabaseUnavailable(error)) {
        throw error;
      }
    }
    if (!said) {
      awaited();
    }
    await sleep(RETRY_MS);
  }
}
