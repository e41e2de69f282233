import type { DatabaseSchema, Migration } from "../../../platform/database-schema.ts";
import { dropIndex } from "../../../platform/mongo.ts";
import { accountSchemas, sessionsSchema } from "./schema.ts";

const migrations: readonly Migration[] = [
  async (db) => {
    await dropIndex(db, sessionsSchema.name, "revokedAt_1");
  },
];

/** The database of the account service. */
export const accountDatabase: DatabaseSchema = { collections: accountSchemas, migrations };
