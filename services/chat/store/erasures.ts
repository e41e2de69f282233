import { asking, type Collection, type Db } from "../../../platform/mongo.ts";
import type { ErasureDocument } from "./schema.ts";

/** Which accounts were deleted of late. */
export class Erasures {
  readonly #erasures: Collection<ErasureDocument>;

  constructor(db: Db) {
    this.#erasures = db.collection<ErasureDocument>("erasures");
  }

  /** Writes down that an account is deleted. A repeat renews the time. */
  async add(accountId: string, at: number): Promise<void> {
    const change = { $set: { erasedAt: new Date(at) } };
    await asking(() => this.#erasures.updateOne({ _id: accountId }, change, { upsert: true }));
  }

  /** Whether an account was deleted of late. */
  async has(accountId: string): Promise<boolean> {
    return (await asking(() => this.#erasures.findOne({ _id: accountId }, { projection: { _id: 1 } }))) !== null;
  }

  /** The accounts that were deleted after a time. */
  async findSince(time: number): Promise<readonly string[]> {
    const filter = { erasedAt: { $gt: new Date(time) } };
    const found = await asking(() => this.#erasures.find(filter, { projection: { _id: 1 } }).toArray());
    return found.map(({ _id }) => _id);
  }
}
