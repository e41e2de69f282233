import { expect } from "chai";
import * as fc from "fast-check";
import { type Bucket, fullBucket, take } from "../../../../gateway/limits/bucket.ts";
import { Buckets } from "../../../../gateway/limits/buckets.ts";

const START = 1_700_000_000_000;
const RATE = { perMs: 10 / 60_000, burst: 20 };

function empty(buckets: Buckets, key: string, now = START): void {
  while (buckets.take(key, now).kind === "taken") {
    // Until there is nothing left.
  }
}

describe("the buckets of many keys", () => {
  it("are to each key what a bucket of its own would be", () => {
    const asks = fc.array(
      fc.record({ key: fc.constantFrom("a", "b", "c"), wait: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200_000 })) }),
      { maxLength: 200 },
    );

    fc.assert(
      fc.property(asks, (asked) => {
        const buckets = new Buckets(RATE, 3);
        const alone = new Map<string, Bucket>();
        let now = START;
        for (const { key, wait } of asked) {
          now += wait;
          const [bucket, expected] = take(alone.get(key) ?? fullBucket(RATE, now), now, RATE);
          alone.set(key, bucket);
          expect(buckets.take(key, now)).to.deep.equal(expected);
        }
      }),
    );
  });

  it("get back what was taken, up to the burst", () => {
    const buckets = new Buckets(RATE, 1_000);
    empty(buckets, "key");

    buckets.give("key");
    const taken = [buckets.take("key", START).kind, buckets.take("key", START).kind];
    buckets.give("key", 100);
    buckets.give("unknown");
    let left = 0;
    while (buckets.take("key", START).kind === "taken") {
      left += 1;
    }

    expect(taken).to.deep.equal(["taken", "refused"]);
    expect(left).to.equal(RATE.burst);
    expect(buckets.size).to.equal(1);
  });

  it("are forgotten when they are full again", () => {
    const buckets = new Buckets(RATE, 1_000);
    for (let index = 0; index < 500; index += 1) {
      buckets.take(`${index}`, START);
    }
    empty(buckets, "emptied");
    const atFirst = buckets.size;

    buckets.take("late", START + 10_000);
    const soon = buckets.size;
    buckets.take("later", START + 125_000);

    expect([atFirst, soon, buckets.size]).to.deep.equal([501, 2, 1]);
  });

  it("stay as many as there is room for under a flood of a million keys, and an empty one stays empty", () => {
    const buckets = new Buckets(RATE, 1_000);
    empty(buckets, "attacker");

    for (let index = 0; index < 1_000_000; index += 1) {
      buckets.take(`${index}`, START);
    }

    expect(buckets.size).to.equal(1_000);
    expect(buckets.take("attacker", START)).to.deep.equal({ kind: "refused", retryAfterMs: 6_000 });
  });

  it("lose the fullest one when there is no room, however long ago the others were used", () => {
    const buckets = new Buckets(RATE, 20);
    for (let taken = 19; taken >= 0; taken -= 1) {
      for (let count = 0; count <= taken; count += 1) {
        buckets.take(`took ${taken + 1}`, START);
      }
    }

    for (const key of ["x", "y", "z"]) {
      buckets.take(key, START);
    }

    for (let taken = 2; taken <= 20; taken += 1) {
      let left = 0;
      while (buckets.take(`took ${taken}`, START).kind === "taken") {
        left += 1;
      }
      expect(left).to.equal(20 - taken);
    }
  });
});
