import type { Cluster } from "../../../../bin/database/cluster.ts";
import { type ClusterState, commandOf, type Range, type ShardedCollection, type Step } from "../../../../bin/database/sharding-plan.ts";
import type { Document } from "../../../../platform/mongo.ts";

/** A sharded cluster in memory: as strict about its commands as a real one. */
export class FakeCluster implements Cluster {
  readonly database: string = "sallyport_chat";
  readonly commands: Document[] = [];
  readonly collections: Map<string, ShardedCollection> = new Map();
  shards: readonly string[];
  bytes = 0;
  /** Thrown in place of the next commands. */
  readonly faults: Error[] = [];

  constructor(...shards: string[]) {
    this.shards = shards;
  }

  async read(): Promise<ClusterState> {
    return { shards: this.shards, collections: new Map(this.collections) };
  }

  async take(step: Step): Promise<void> {
    const fault = this.faults.shift();
    if (fault !== undefined) {
      throw fault;
    }
    this.commands.push(commandOf(step, this.database));
    if (step.kind !== "enable") {
      this.collections.set(step.collection, this.#change(step));
    }
  }

  /** Where each range of a collection is. */
  rangesOf(collection: string): readonly Range[] {
    return this.collections.get(collection)?.ranges ?? [];
  }

  #change(step: Exclude<Step, { kind: "enable" }>): ShardedCollection {
    const state = this.collections.get(step.collection);
    if (step.kind === "shard") {
      return state ?? { key: { [step.key]: 1 }, bytes: this.bytes, ranges: [{ from: "", shard: this.shards[0] ?? "" }] };
    }
    if (state === undefined) {
      throw new Error(`${step.collection} is not sharded`);
    }
    return { ...state, ranges: step.kind === "split" ? split(state.ranges, step.at) : move(state.ranges, step.from, step.to) };
  }
}

function split(ranges: readonly Range[], at: string): readonly Range[] {
  const index = ranges.findLastIndex(({ from }) => from <= at);
  const whole = ranges[index];
  if (whole === undefined || whole.from === at) {
    throw new Error(`${at} is a boundary already`);
  }
  return [...ranges.slice(0, index + 1), { from: at, shard: whole.shard }, ...ranges.slice(index + 1)];
}

function move(ranges: readonly Range[], from: string, to: string): readonly Range[] {
  if (!ranges.some((range) => range.from === from)) {
    throw new Error(`no range begins at ${from}`);
  }
  return ranges.map((range) => (range.from === from ? { from, shard: to } : range));
}
