import { expect } from "chai";
import fc from "fast-check";
import { spreadEvenly } from "../../../gateway/spread.ts";

const count = fc.integer({ min: 0, max: 2_000 });
const windowMs = fc.integer({ min: 0, max: 60_000 });
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("moments spread over a window", () => {
  it("are even: each part of the window has its share of them, give or take one", () => {
    fc.assert(
      fc.property(count, windowMs, fraction, fc.infiniteStream(fraction), (moments, window, part, draws) => {
        const spread = spreadEvenly(moments, window, () => draws.next().value as number);

        const until = part * window;
        const passed = spread.filter((moment) => moment < until).length;
        // A moment is a whole millisecond, so those within one of the end may fall on either side.
        const perMs = window === 0 ? moments : moments / window;
        expect(Math.abs(passed - part * moments)).to.be.at.most(1 + perMs);
      }),
    );
  });

  it("are in the window, in order, and as many as asked for", () => {
    fc.assert(
      fc.property(count, windowMs, fc.infiniteStream(fraction), (moments, window, draws) => {
        const spread = spreadEvenly(moments, window, () => draws.next().value as number);

        expect(spread).to.have.length(moments);
        expect(spread).to.deep.equal(spread.toSorted((one, other) => one - other));
        expect(spread.every((moment) => Number.isInteger(moment) && moment >= 0 && moment <= window)).to.equal(true);
      }),
    );
  });
});
