import { expect } from "chai";
import fc from "fast-check";
import { backoff } from "../../../client/backoff.ts";

describe("the backoff", () => {
  it("doubles its bound with each failure", () => {
    expect([0, 1, 2, 3].map((failures) => backoff(failures, 0.5))).to.deep.equal([250, 500, 1000, 2000]);
  });

  it("stays from 0 up to 10 s, whatever the number of failures", () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
        expect(backoff(failures, random)).to.be.within(0, 10_000);
      }),
    );
  });
});
