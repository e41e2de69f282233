import { asking, type Collection, type CollectionSchema, type Db } from "./mongo.ts";

interface LeaseDocument {
  _id: string;
  expiresAt: Date;
}

/** How long a lease lives after its last renewal. */
export const LEASE_MS = 15_000;

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
