import { expect } from "chai";
import fc from "fast-check";
import { DECISIVE, MONTH_MS, suspendedUntil } from "../../../../../services/chat/reports/suspension.ts";

const DAY_MS = 86_400_000;
const NOW = 200 * DAY_MS;

describe("the suspension of reporters", () => {
  it("begins with the tenth rejection within 30 days and lasts 30 days from it", () => {
    const nine = newestFirst([0, 1, 2, 3, 4, 5, 6, 7, 8].map((day) => day * DAY_MS));
    const ten = [20 * DAY_MS, ...nine];

    expect(suspendedUntil(nine, 20 * DAY_MS)).to.equal(undefined);
    expect(suspendedUntil(ten, 20 * DAY_MS)).to.equal(50 * DAY_MS);
    expect(suspendedUntil(ten, 50 * DAY_MS - 1)).to.equal(50 * DAY_MS);
    expect(suspendedUntil(ten, 50 * DAY_MS)).to.equal(undefined);
  });

  it("does not begin when the first of ten is 30 days before the last", () => {
    const nine = Array.from({ length: 9 }, () => MONTH_MS);

    expect(suspendedUntil([...nine, 0], MONTH_MS)).to.equal(undefined);
    expect(suspendedUntil([...nine, 1], MONTH_MS)).to.equal(2 * MONTH_MS);
  });

  it("may hang on the eighteenth rejection", () => {
    const ninth = NOW - MONTH_MS + 1;
    const older = ninth - MONTH_MS + 1;
    const rejectedAt = [...Array<number>(8).fill(ninth + 1), ninth, ...Array<number>(9).fill(older)];

    expect(suspendedUntil(rejectedAt, NOW)).to.equal(ninth + MONTH_MS);
    expect(suspendedUntil(rejectedAt.slice(0, DECISIVE), NOW)).to.equal(ninth + MONTH_MS);
    expect(suspendedUntil(rejectedAt.slice(0, DECISIVE - 1), NOW)).to.equal(undefined);
  });

  it("is what the sentence about it says, of whatever times, and the newest 18 decide it", () => {
    const time = fc.oneof(fc.integer({ min: NOW - 70 * DAY_MS, max: NOW }), fc.constantFrom(NOW - MONTH_MS, NOW - MONTH_MS + 1, NOW));
    const times = fc.array(time, { maxLength: 60, size: "max" }).map(newestFirst);

    fc.assert(
      fc.property(times, (rejectedAt) => {
        const recent = rejectedAt.filter((at) => at > NOW - 2 * MONTH_MS).slice(0, DECISIVE);

        expect(suspendedUntil(rejectedAt, NOW)).to.equal(spelledOut(rejectedAt));
        expect(suspendedUntil(recent, NOW)).to.equal(spelledOut(rejectedAt));
      }),
      { numRuns: 3_000, seed: 20_260_101 },
    );
  });
});

/** There is a rejection less than 30 days ago such that ten lie in the 30 days up to it. */
function spelledOut(rejectedAt: readonly number[]): number | undefined {
  const tenths = rejectedAt.filter(
    (at) => at > NOW - MONTH_MS && rejectedAt.filter((one) => one <= at && one > at - MONTH_MS).length >= 10,
  );
  return tenths.length === 0 ? undefined : Math.max(...tenths) + MONTH_MS;
}

function newestFirst(times: readonly number[]): readonly number[] {
  return [...times].sort((a, b) => b - a);
}
