import type { DatabaseSchema, Migration } from "../../../platform/database-schema.ts";
import { dropIndex } from "../../../platform/mongo.ts";
import { chatSchemas } from "./schema.ts";

const migrations: readonly Migration[] = [(db) => dropIndex(db, "sends", "expiresAt_1")];

/** The database of the chat service. */
export const chatDatabase: DatabaseSchema = { collections: chatSchemas, migrations };
