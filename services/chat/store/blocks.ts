import { GroupCommit } from "../../../platform/group-commit.ts";
import { asking, type Collection, type Db } from "../../../platform/mongo.ts";
import type { BlockDocument } from "./schema.ts";

/** Whose messages accounts refuse. */
export class Blocks {
  readonly #blocks: Collection<BlockDocument>;
  readonly #lookups: GroupCommit<string, boolean>;

  constructor(db: Db) {
    this.#blocks = db.collection<BlockDocument>("blocks");
    this.#lookups = new GroupCommit(async (ids) => {
      const found = await asking(() => this.#blocks.find({ _id: { $in: [...ids] } }, { projection: { _id: 1 } }).toArray());
      const blocked = new Set(found.map(({ _id }) => _id));
      return ids.map((id) => blocked.has(id));
    });
  }

  /** Whether `ownerId` refuses the messages of `otherId`; group-committed. */
  has(ownerId: string, otherId: string): Promise<boolean> {
    return this.#lookups.add(blockId(ownerId, otherId));
  }

  /** Repeating it is fine. */
  async add(ownerId: string, blockedId: string): Promise<void> {
    const block = { $setOnInsert: { ownerId, blockedId } };
    await asking(() => this.#blocks.updateOne({ _id: blockId(ownerId, blockedId) }, block, { upsert: true }));
  }

  /** Repeating it is fine. */
  async remove(ownerId: string, blockedId: string): Promise<void> {
    await asking(() => this.#blocks.deleteOne({ _id: blockId(ownerId, blockedId) }));
  }

  /** Removes all blocks that name one of the accounts, on either side. Repeating it is fine. */
  async removeAll(accountIds: readonly string[]): Promise<void> {
    const named = { $in: [...accountIds] };
    await asking(() => this.#blocks.deleteMany({ $or: [{ ownerId: named }, { blockedId: named }] }));
  }

  /** The accounts whose messages `ownerId` refuses, sorted. */
  async list(ownerId: string): Promise<readonly string[]> {
    const options = { projection: { blockedId: 1 }, sort: { blockedId: 1 } } as const;
    const found = await asking(() => this.#blocks.find({ ownerId }, options).toArray());
    return found.map(({ blockedId }) => blockedId);
  }
}

function blockId(ownerId: string, blockedId: string): string {
  return `${ownerId}:${blockedId}`;
}
