import { expect } from "chai";
import fc from "fast-check";
import {
  type ClusterState,
  commandOf,
  MAX_MOVED_BYTES,
  planSharding,
  type Range,
  type Step,
} from "../../../../bin/database/sharding-plan.ts";
import { derivedUuid } from "../../../../platform/ids.ts";
import { FakeCluster } from "./fake-cluster.ts";

const SENDS = { name: "sends", shardKey: "_id", indexes: [] };
const REPORTS = { name: "reports", indexes: [] };

describe("the plan for a sharded cluster", () => {
  it("shards what has a key, and leaves the rest whole", () => {
    expect(planSharding([SENDS, REPORTS], stateOf(["a", "b"]))).to.deep.equal([
      { kind: "enable" },
      { kind: "shard", collection: "sends", key: "_id" },
    ]);
  });

  it("cuts a new collection into equal ranges, one for each shard", () => {
    const steps = planSharding([SENDS], stateOf(["a", "b", "c", "d"], [{ from: "", shard: "b" }]));

    expect(steps.map((step) => step.kind === "split" && step.at)).to.deep.equal(["4000", "8000", "c000"]);
  });

  it("moves the ranges that are on another shard than theirs", () => {
    const ranges = [
      { from: "", shard: "b" },
      { from: "8000", shard: "b" },
    ];

    expect(planSharding([SENDS], stateOf(["b", "a"], ranges))).to.deep.equal([
      { kind: "move", collection: "sends", key: "_id", from: "", to: "a" },
    ]);
  });

  it("has nothing to do where all is done", () => {
    const ranges = [
      { from: "", shard: "a" },
      { from: "8000", shard: "b" },
    ];

    expect(planSharding([SENDS, REPORTS], stateOf(["a", "b"], ranges))).to.deep.equal([]);
  });

  it("leaves what is large to the balancer", () => {
    const large = stateOf(["a", "b"], [{ from: "", shard: "a" }], MAX_MOVED_BYTES + 1);

    expect(planSharding([SENDS], large)).to.deep.equal([]);
  });

  it("refuses a collection that is sharded by another key", () => {
    const other = { key: { purgeAt: 1 }, bytes: 0, ranges: [{ from: "", shard: "a" }] };

    expect(() => planSharding([SENDS], { shards: ["a"], collections: new Map([["sends", other]]) })).to.throw(
      'sends is sharded by {"purgeAt":1}, and its queries name _id',
    );
  });

  it("comes to an end with one shard's worth of ids on each shard, from whatever ranges there are", async () => {
    const ids = Array.from({ length: 4_000 }, (_, index) => derivedUuid(`${index}`));
    const starts = fc.uniqueArray(fc.stringMatching(/^[0-9a-f]{4}$/), { maxLength: 6 });
    const shards = fc.constantFrom("a", "b", "c", "d", "e");

    await fc.assert(
      fc.asyncProperty(
        starts,
        fc.array(shards, { minLength: 7, maxLength: 7 }),
        fc.uniqueArray(shards, { minLength: 1 }),
        async (at, on, all) => {
          const cluster = new FakeCluster(...all);
          const ranges = ["", ...at.filter((start) => start !== "0000").sort()].map((from, index) => ({ from, shard: on[index] ?? "a" }));
          cluster.collections.set("sends", { key: { _id: 1 }, bytes: 0, ranges });

          for (let round = 0; round < 2; round += 1) {
            for (const step of planSharding([SENDS], await cluster.read())) {
              await cluster.take(step);
            }
          }

          expect(planSharding([SENDS], await cluster.read())).to.deep.equal([]);
          const counts = all.map((shard) => ids.filter((id) => shardOf(cluster.rangesOf("sends"), id) === shard).length);
          expect(Math.min(...counts)).to.be.greaterThan((0.8 * ids.length) / all.length);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("a step for a sharded cluster", () => {
  const STEPS: readonly (readonly [Step, object])[] = [
    [{ kind: "enable" }, { enableSharding: "x_chat" }],
    [
      { kind: "shard", collection: "inbox", key: "recipientId" },
      { shardCollection: "x_chat.inbox", key: { recipientId: 1 } },
    ],
    [
      { kind: "split", collection: "inbox", key: "recipientId", at: "8000" },
      { split: "x_chat.inbox", middle: { recipientId: "8000" } },
    ],
    [
      { kind: "move", collection: "inbox", key: "recipientId", from: "8000", to: "b" },
      { moveChunk: "x_chat.inbox", find: { recipientId: "8000" }, to: "b" },
    ],
  ];

  for (const [step, command] of STEPS) {
    it(`is the command ${Object.keys(command)[0]}`, () => {
      expect(commandOf(step, "x_chat")).to.deep.equal(command);
    });
  }
});

function stateOf(shards: readonly string[], ranges?: readonly Range[], bytes = 0): ClusterState {
  return { shards, collections: new Map(ranges && [["sends", { key: { _id: 1 }, bytes, ranges }]]) };
}

function shardOf(ranges: readonly Range[], id: string): string | undefined {
  return ranges.findLast(({ from }) => from <= id)?.shard;
}
