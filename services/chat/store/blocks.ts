import { GroupCommit } from "../../../platform/group-commit.ts";
import { asking, type Collection, type Db } from "../../../platform/mongo.ts";
import { type BlockDocument, OWNED_BLOCKS } from "./schema.ts";

type BlockName = Pick<BlockDocument, "ownerId" | "blockedId">;

/** All that a look-up reads is in the index. */
const NAMES = { _id: 0, ownerId: 1, blockedId: 1 } as const;

/** Whose messages accounts refuse. */
export class Blocks {
  readonly #blocks: Collection<BlockDocument>;
  readonly #lookups: GroupCommit<BlockName, boolean>;

  constructor(db: Db) {
    this.#blocks = db.collection<BlockDocument>("blocks");
    this.#lookups = new GroupCommit((blocks) => this.#look(blocks));
  }

  /** Whether `ownerId` refuses the messages of `otherId`; group-committed. */
  has(ownerId: string, otherId: string): Promise<boolean> {
    return this.#lookups.add({ ownerId, blockedId: otherId });
  }

  /** Repeating it is fine. */
  async add(ownerId: string, blockedId: string): Promise<void> {
    const block = { $setOnInsert: { blockedId } };
    await asking(() => this.#blocks.updateOne({ _id: blockId({ ownerId, blockedId }), ownerId }, block, { upsert: true }));
  }

  /** Repeating it is fine. */
  async remove(ownerId: string, blockedId: string): Promise<void> {
    await asking(() => this.#blocks.deleteOne({ _id: blockId({ ownerId, blockedId }), ownerId }));
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

  /** The blocks of all that are named on one side with all that are named on the other: more than is asked, and in one question. */
  async #look(blocks: readonly BlockName[]): Promise<readonly boolean[]> {
    const ownerId = { $in: [...new Set(blocks.map((block) => block.ownerId))] };
    const blockedId = { $in: [...new Set(blocks.map((block) => block.blockedId))] };
    const options = { projection: NAMES, hint: OWNED_BLOCKS } as const;
    const found = await asking(() => this.#blocks.find({ ownerId, blockedId }, options).toArray());
    const names = new Set(found.map(blockId));
    return blocks.map((block) => names.has(blockId(block)));
  }
}

function blockId({ ownerId, blockedId }: BlockName): string {
  return `${ownerId}:${blockedId}`;
}
