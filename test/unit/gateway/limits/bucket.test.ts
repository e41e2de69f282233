import { expect } from "chai";
import * as fc from "fast-check";
import { type Bucket, fullBucket, take } from "../../../../gateway/limits/bucket.ts";
import type { Rate } from "../../../../platform/rate.ts";

const START = 1_700_000_000_000;

// A bucket for one token loses the fraction that comes in between two milliseconds of the clock.
const rates: fc.Arbitrary<Rate> = fc
  .record({ count: fc.integer({ min: 1, max: 200 }), periodMs: fc.constantFrom(1_000, 60_000), burst: fc.integer({ min: 2, max: 50 }) })
  .map(({ count, periodMs, burst }) => ({ perMs: count / periodMs, burst }));

/** The times, among those at which somebody asks for a token, when there was one. */
function admittedOf(rate: Rate, askedAt: readonly number[]): readonly number[] {
  let bucket = fullBucket(rate, START);
  return askedAt.filter((at) => {
    const [next, { kind }] = take(bucket, at, rate);
    bucket = next;
    return kind === "taken";
  });
}

/** The most that were admitted in any window, beyond what the rate alone allows in its length. */
function mostBeyondRate(admitted: readonly number[], { perMs }: Rate): number {
  let most = 0;
  for (const [first, from] of admitted.entries()) {
    for (const [more, to] of admitted.slice(first).entries()) {
      most = Math.max(most, more + 1 - (to - from) * perMs);
    }
  }
  return most;
}

describe("a token bucket", () => {
  it("admits no more than the burst and its rate in any window of time, however it is asked", () => {
    const gaps = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 20_000 })), { maxLength: 150 });

    fc.assert(
      fc.property(rates, gaps, (rate, waits) => {
        let at = START;
        const askedAt = waits.map((wait) => {
          at += wait;
          return at;
        });

        expect(mostBeyondRate(admittedOf(rate, askedAt), rate)).to.be.at.most(rate.burst + 1e-3);
      }),
    );
  });

  it("gives who always asks the burst, and then its rate, neither more nor less", () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const askedAt = Array.from({ length: 30_001 }, (_, ms) => START + ms);

        expect(admittedOf(rate, askedAt).length).to.be.closeTo(rate.burst + 30_000 * rate.perMs, 1);
      }),
      { numRuns: 30 },
    );
  });

  it("never refuses who waited as long as it said, and gives them its whole rate", () => {
    fc.assert(
      fc.property(rates, (rate) => {
        let [bucket, at, admitted] = [fullBucket(rate, START), START, 0];
        let wasTold = false;
        while (at < START + 60_000) {
          const [next, taking] = take(bucket, at, rate);
          bucket = next;
          expect(wasTold && taking.kind === "refused").to.equal(false);
          wasTold = taking.kind === "refused";
          admitted += taking.kind === "taken" ? 1 : 0;
          at += taking.kind === "taken" ? 0 : taking.retryAfterMs;
        }

        expect(admitted).to.be.at.least(Math.floor(rate.burst + 60_000 * rate.perMs - 1e-3));
      }),
      { numRuns: 50 },
    );
  });

  it("loses nothing by refusing", () => {
    const rate = { perMs: 1 / 100, burst: 2 };
    const asked = [0, 0, ...Array.from({ length: 99 }, (_, ms) => ms + 1), 100].map((ms) => START + ms);

    expect(admittedOf(rate, asked)).to.deep.equal([START, START, START + 100]);
  });

  it("says after how long there is a token", () => {
    const rate = { perMs: 10 / 60_000, burst: 1 };
    const [empty] = take(fullBucket(rate, START), START, rate);

    expect(take(empty, START, rate)[1]).to.deep.equal({ kind: "refused", retryAfterMs: 6_000 });
    expect(take(empty, START + 5_999, rate)[1]).to.deep.equal({ kind: "refused", retryAfterMs: 1 });
    expect(take(empty, START + 6_000, rate)[1]).to.deep.equal({ kind: "taken" });
  });

  it("gives many tokens at once or none, and of more than the burst all that it can hold", () => {
    const rate = { perMs: 1, burst: 1_000 };
    const [left] = take(fullBucket(rate, START), START, rate, 600);

    expect(take(left, START, rate, 600)[1]).to.deep.equal({ kind: "refused", retryAfterMs: 200 });
    expect(take(left, START, rate, 400)[1]).to.deep.equal({ kind: "taken" });
    expect(take(fullBucket(rate, START), START, rate, 5_000)[1]).to.deep.equal({ kind: "taken" });
    expect(take(left, START, rate, 5_000)[1]).to.deep.equal({ kind: "refused", retryAfterMs: 600 });
  });

  it("goes on from there when the clock is set back", () => {
    const rate = { perMs: 1 / 1_000, burst: 1 };
    let bucket: Bucket = { tokens: 0, at: START };

    [bucket] = take(bucket, START - 3_600_000, rate);

    expect(take(bucket, START - 3_599_001, rate)[1]).to.deep.equal({ kind: "refused", retryAfterMs: 1 });
    expect(take(bucket, START - 3_599_000, rate)[1]).to.deep.equal({ kind: "taken" });
  });
});
