import { asking, type Db } from "../../../platform/mongo.ts";
import { EVENTS_KEPT_MS, type SecurityEventDocument, securityEventsSchema } from "./schema.ts";

/** What was decided about the security of accounts. */
export interface SecurityEvents {
  /** Adds events, durable when it resolves. Answers of each whether it was not there before. */
  add(events: readonly SecurityEventDocument[]): Promise<readonly boolean[]>;
  /** An account's, newest first; of those of one instant, what follows from the other comes first. */
  list(accountId: string): Promise<readonly SecurityEventDocument[]>;
  /** Removes all of an account's. Repeating it is fine. */
  erase(accountId: string): Promise<void>;
}

const MAX_LISTED = 200;

/** The security events in a database. */
export function createSecurityEvents(db: Db): SecurityEvents {
  const securityEvents = db.collection<SecurityEventDocument>(securityEventsSchema.name);

  return {
    add: async (events) => {
      const additions = events.map(({ _id, ...event }) => ({
        updateOne: { filter: { _id }, update: { $setOnInsert: event }, upsert: true },
      }));
      const { upsertedIds } = await asking(() => securityEvents.bulkWrite(additions, { ordered: false }));
      return events.map((_event, index) => index in upsertedIds);
    },
    list: (accountId) =>
      asking(() => {
        // The database removes what is too old, but not to the minute.
        const kept = { $gt: ["$occurredAt", { $subtract: ["$$NOW", EVENTS_KEPT_MS] }] };
        // The types' numbers are in the order in which a session goes through them.
        const sort = { occurredAt: -1, type: -1, _id: -1 } as const;
        return securityEvents.find({ accountId, $expr: kept }, { sort, limit: MAX_LISTED }).toArray();
      }),
    erase: async (accountId) => {
      await asking(() => securityEvents.deleteMany({ accountId }));
    },
  };
}
