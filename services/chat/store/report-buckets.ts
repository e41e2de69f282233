import { asking, type Collection, type Db } from "../../../platform/mongo.ts";
import type { Rate } from "../../../platform/rate.ts";
import type { ReportBucketDocument } from "./schema.ts";

/** How far the time that buckets fill by is ahead of the clock of the database, in milliseconds. 0, except in tests. */
export type TimeShift = () => number;

/**
 * Token buckets of accounts, by the clock of the database: exact however many copies take from one at once. A bucket is the time
 * at which it will be full again (the theoretical arrival time of the generic cell rate algorithm, ITU-T I.371); one that is full is not kept.
 */
export class ReportBuckets {
  readonly #buckets: Collection<ReportBucketDocument>;
  readonly #tokenMs: number;
  readonly #spanMs: number;
  readonly #shift: TimeShift;

  constructor(db: Db, { perMs, burst }: Rate, shift: TimeShift = () => 0) {
    this.#buckets = db.collection<ReportBucketDocument>("reportBuckets");
    this.#tokenMs = Math.max(1, Math.round(1 / perMs));
    this.#spanMs = (burst - 1) * this.#tokenMs;
    this.#shift = shift;
  }

  /** Takes a token. Answers 0, or, where none is left, in how many milliseconds there is one; then nothing is taken. */
  async take(accountId: string): Promise<number> {
    const now = { $add: ["$$NOW", this.#shift()] };
    const takeOne = { $cond: [{ $eq: ["$waitMs", 0] }, { $add: ["$fullAt", this.#tokenMs] }, "$fullAt"] };
    const change = [
      { $set: { fullAt: { $max: ["$fullAt", now] } } },
      { $set: { waitMs: { $max: [0, { $subtract: [{ $subtract: ["$fullAt", now] }, this.#spanMs] }] } } },
      { $set: { fullAt: takeOne } },
    ];
    const options = { upsert: true, returnDocument: "after", projection: { waitMs: 1 } } as const;
    const bucket = await asking(() => this.#buckets.findOneAndUpdate({ _id: accountId }, change, options));
    return bucket?.waitMs ?? 0;
  }

  /** Forgets an account's bucket. Repeating it is fine. */
  async remove(accountId: string): Promise<void> {
    await asking(() => this.#buckets.deleteOne({ _id: accountId }));
  }
}
