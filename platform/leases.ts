import { asking, type Collection, type CollectionSchema, type Db } from "./mongo.ts";

interface LeaseDocument {
  _id: string;
  expiresAt: Date;
  /** Of a lease that several may want. */
  holder?: string;
}

/** How long a lease lives after its last renewal; what rests on it may be believed for a second more, and must have ended 15 s after its holder. */
export const LEASE_MS = 13_000;

/** The collection of leases; a service makes it with its own. */
export const leasesSchema: CollectionSchema = {
  name: "leases",
  // Long after its end, so that a holder that was only cut off finds its lease again.
  indexes: [{ key: { expiresAt: 1 }, expireAfterSeconds: 86_400 }],
};

/** Leases by holder, in one collection, by the clock of the database. */
export class Leases {
  readonly #leases: Collection<LeaseDocument>;

  constructor(db: Db) {
    this.#leases = db.collection<LeaseDocument>(leasesSchema.name);
  }

  /** Starts a lease or prolongs it, also one that had run out. Repeating it is fine. */
  async renew(holder: string): Promise<void> {
    const expiresAt = { $add: ["$$NOW", LEASE_MS] };
    await asking(() => this.#leases.updateOne({ _id: holder }, [{ $set: { expiresAt } }], { upsert: true }));
  }

  /** Takes a lease that nobody else holds at the moment, for some milliseconds. Answers whether it is the holder's; a repeat prolongs it. */
  async take(name: string, holder: string, leaseMs: number): Promise<boolean> {
    const isAnothers = { $and: [{ $gt: ["$expiresAt", "$$NOW"] }, { $ne: ["$holder", holder] }] };
    const change = {
      holder: { $cond: [isAnothers, "$holder", holder] },
      expiresAt: { $cond: [isAnothers, "$expiresAt", { $add: ["$$NOW", leaseMs] }] },
    };
    const options = { upsert: true, returnDocument: "after" } as const;
    const lease = await asking(() => this.#leases.findOneAndUpdate({ _id: name }, [{ $set: change }], options));
    return lease?.holder === holder;
  }

  /** Ends a lease at once. Repeating it is fine. */
  async end(holder: string): Promise<void> {
    await asking(() => this.#leases.deleteOne({ _id: holder }));
  }

  /** Whether a lease runs. */
  async isHeld(holder: string): Promise<boolean> {
    const running = { _id: holder, $expr: { $gt: ["$expiresAt", "$$NOW"] } };
    return (await asking(() => this.#leases.findOne(running, { projection: { _id: 1 } }))) !== null;
  }
}
