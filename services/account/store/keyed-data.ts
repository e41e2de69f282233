import type { KeyedData } from "../../../platform/keys/required.ts";
import { asking, type Db } from "../../../platform/mongo.ts";
import { type SessionDocument, sessionsSchema } from "./schema.ts";

/** Sessions do not say which key signed their tokens: while there are any, each key that was active may have. */
export function keyedData(db: Db): KeyedData {
  const sessions = db.collection<SessionDocument>(sessionsSchema.name);
  return {
    keys: async () => [],
    needs: async ({ usedAt }) => usedAt === undefined && (await asking(() => sessions.findOne({}, { projection: { _id: 1 } }))) !== null,
  };
}
