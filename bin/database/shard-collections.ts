import { setTimeout as sleep } from "node:timers/promises";
import { type CollectionSchema, isDatabaseUnavailable } from "../../platform/mongo.ts";
import type { Cluster } from "./cluster.ts";
import { type ClusterState, describeStep, isSpreadHere, planSharding, type Step } from "./sharding-plan.ts";

/** So often a plan is made. It takes four; the others are for steps that somebody else is at, or that a busy cluster puts off. */
const ROUNDS = 60;
const RETRY_MS = 500;
const UNAUTHORIZED = 13;

/**
 * Shards the collections that have a key, and spreads what is empty or small over the shards. Repeating it changes nothing, and any number
 * may do so at once. `print` hears of each thing that is done, then how all is.
 * @throws Error when a collection is sharded by another key, or a step goes through for nobody.
 */
export async function shardCollections(
  cluster: Cluster,
  schemas: readonly CollectionSchema[],
  print: (line: string) => void,
  retryMs: number = RETRY_MS,
): Promise<void> {
  let failed: Failed | undefined;
  for (let round = 0; round < ROUNDS && !isFinal(failed?.error); round += 1) {
    if (failed !== undefined) {
      await sleep(retryMs);
    }
    const state = await cluster.read();
    const steps = planSharding(schemas, state);
    if (steps.length === 0) {
      summarise(cluster.database, schemas, state).forEach(print);
      return;
    }
    failed = await takeAll(cluster, steps, print);
  }
  throw whyNotDone(cluster, failed);
}

interface Failed {
  readonly step: Step;
  readonly error: unknown;
}

/** Takes steps up to the first that fails: from there on the plan may be another one. */
async function takeAll(cluster: Cluster, steps: readonly Step[], print: (line: string) => void): Promise<Failed | undefined> {
  for (const step of steps) {
    try {
      await cluster.take(step);
    } catch (error) {
      return { step, error };
    }
    print(`${describeStep(step, cluster.database)}: done`);
  }
  return undefined;
}

function summarise(database: string, schemas: readonly CollectionSchema[], { shards, collections }: ClusterState): readonly string[] {
  return schemas.map(({ name, shardKey }) => {
    const state = collections.get(name);
    if (shardKey === undefined || state === undefined) {
      return `${database}.${name}: whole, on the primary shard`;
    }
    const used = new Set(state.ranges.map(({ shard }) => shard)).size;
    const rest = isSpreadHere(state) ? "" : "; what is not even yet is left to the balancer";
    return `${database}.${name}: sharded by ${shardKey}, ${state.ranges.length} ranges on ${used} of ${shards.length} shards${rest}`;
  });
}

function whyNotDone({ database }: Cluster, failed: Failed | undefined): Error {
  if (failed === undefined) {
    return new Error(`${database}: the shards do not come to rest: something else moves them at the same time`);
  }
  return new Error(`${describeStep(failed.step, database)}: failed: ${messageOf(failed.error)}`, { cause: failed.error });
}

function isFinal(error: unknown): boolean {
  return !isDatabaseUnavailable(error) && error instanceof Error && "code" in error && error.code === UNAUTHORIZED;
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return isFinal(error) ? `${message}: the user of MONGODB_URI needs the role clusterManager` : message;
}
