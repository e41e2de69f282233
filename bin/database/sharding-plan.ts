import type { CollectionSchema, Document } from "../../platform/mongo.ts";

/** What a sharded cluster says of a database. */
export interface ClusterState {
  /** The shards that take data. */
  readonly shards: readonly string[];
  /** The collections that are sharded, by name. */
  readonly collections: ReadonlyMap<string, ShardedCollection>;
}

/** A collection that is sharded. */
export interface ShardedCollection {
  readonly key: Document;
  /** All its documents together. */
  readonly bytes: number;
  readonly ranges: readonly Range[];
}

/** The documents whose key is this or later, up to the next range, are on that shard. The first range begins with the empty text. */
export interface Range {
  readonly from: string;
  readonly shard: string;
}

/** One thing that is to be done to a cluster. */
export type Step =
  | { readonly kind: "enable" }
  | { readonly kind: "shard"; readonly collection: string; readonly key: string }
  | { readonly kind: "split"; readonly collection: string; readonly key: string; readonly at: string }
  | { readonly kind: "move"; readonly collection: string; readonly key: string; readonly from: string; readonly to: string };

/** Up to here ranges are moved as soon as they are cut. What is larger is moved by the balancer of the cluster, at its own pace. */
export const MAX_MOVED_BYTES: number = 64 * 1024 * 1024;

/** So many first digits of a key, four hexadecimal ones, are told apart. */
const SPACE = 0x1_0000;

/**
 * What is to be done next: each collection is sharded by its key and cut into as many equal ranges as there are shards, each on its own.
 * Nothing: all is done. What follows from a step is planned once it is taken.
 * @throws Error when a collection is sharded by another key.
 */
export function planSharding(schemas: readonly CollectionSchema[], { shards, collections }: ClusterState): readonly Step[] {
  const keyed = schemas.flatMap(({ name, shardKey }) => (shardKey === undefined ? [] : [{ collection: name, key: shardKey }]));
  const steps = keyed.flatMap(({ collection, key }): readonly Step[] => {
    const state = collections.get(collection);
    if (state === undefined) {
      return [{ kind: "shard", collection, key }];
    }
    requireKey(collection, key, state.key);
    return isSpreadHere(state) ? spread(collection, key, state.ranges, shards) : [];
  });
  // Whether a database is enabled is not told from MongoDB 6.0 on, where it need not be; to enable it again changes nothing.
  return steps.some(({ kind }) => kind === "shard") ? [{ kind: "enable" }, ...steps] : steps;
}

/** Whether the ranges of a collection are few bytes, and so not left to the balancer. */
export function isSpreadHere({ bytes }: ShardedCollection): boolean {
  return bytes <= MAX_MOVED_BYTES;
}

/** A step as a command of the `admin` database. */
export function commandOf(step: Step, database: string): Document {
  const name = "collection" in step ? `${database}.${step.collection}` : database;
  switch (step.kind) {
    case "enable":
      return { enableSharding: database };
    case "shard":
      return { shardCollection: name, key: { [step.key]: 1 } };
    case "split":
      return { split: name, middle: { [step.key]: step.at } };
    case "move":
      return { moveChunk: name, find: { [step.key]: step.from }, to: step.to };
  }
}

/** A step in words. */
export function describeStep(step: Step, database: string): string {
  const name = "collection" in step ? `${database}.${step.collection}` : database;
  switch (step.kind) {
    case "enable":
      return `${name}: sharding enabled`;
    case "shard":
      return `${name}: sharded by ${step.key}`;
    case "split":
      return `${name}: cut at ${step.at}`;
    case "move":
      return `${name}: the range ${step.from === "" ? "of the lowest keys" : `from ${step.from}`} moved to ${step.to}`;
  }
}

function requireKey(collection: string, key: string, found: Document): void {
  if (JSON.stringify(found) !== JSON.stringify({ [key]: 1 })) {
    throw new Error(
      `${collection} is sharded by ${JSON.stringify(found)}, and its queries name ${key}: reshard it by {"${key}":1} (reshardCollection)`,
    );
  }
}

/** Cuts before it moves: what lies in two of the equal ranges has no place yet. */
function spread(collection: string, key: string, ranges: readonly Range[], shards: readonly string[]): readonly Step[] {
  const sorted = [...shards].sort();
  const starts = sorted.map((_shard, index) => startOf(index, sorted.length));
  const cuts = starts.filter((start) => !ranges.some(({ from }) => from === start));
  if (cuts.length > 0) {
    return cuts.map((at) => ({ kind: "split", collection, key, at }));
  }
  return ranges.flatMap(({ from, shard }) => {
    const to = sorted[starts.findLastIndex((start) => start <= from)];
    return to === undefined || to === shard ? [] : [{ kind: "move", collection, key, from, to }];
  });
}

function startOf(index: number, count: number): string {
  return index === 0
    ? ""
    : Math.floor((index * SPACE) / count)
        .toString(16)
        .padStart(4, "0");
}
