import { asking, type Db } from "../../../platform/mongo.ts";
import { SecurityEventType } from "../../../proto/gen/sallyport/account/v1/account.ts";
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
/** These are told of once, and often: an insert costs the database less than half of what an upsert does. The others may be told of again. */
const TOLD_ONCE: ReadonlySet<SecurityEventType> = new Set([SecurityEventType.LOGIN, SecurityEventType.ROTATION]);

/** The security events in a database. */
export function createSecurityEvents(db: Db): SecurityEvents {
  const securityEvents = db.collection<SecurityEventDocument>(securityEventsSchema.name);

  return {
    add: async (events) => {
      const additions = events.map((document) => {
        const { _id, accountId, ...event } = document;
        return TOLD_ONCE.has(event.type)
          ? { insertOne: { document } }
          : { updateOne: { filter: { _id, accountId }, update: { $setOnInsert: event }, upsert: true } };
      });
      const { insertedIds, upsertedIds } = await asking(() => securityEvents.bulkWrite(additions, { ordered: false }));
      return events.map((_event, index) => index in insertedIds || index in upsertedIds);
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
