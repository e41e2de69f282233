import { expect } from "chai";
import { parseRate } from "../../../platform/rate.ts";

describe("a rate", () => {
  for (const [text, perMs, burst] of [
    ["20/second burst 100", 20 / 1_000, 100],
    ["10/minute burst 20", 10 / 60_000, 20],
    ["3/hour burst 1", 3 / 3_600_000, 1],
    ["20/day burst 20", 20 / 86_400_000, 20],
  ] as const) {
    it(`is read from "${text}"`, () => {
      expect(parseRate(text)).to.deep.equal({ perMs, burst });
    });
  }

  for (const text of [
    "",
    "10",
    "10/minute",
    "0/minute burst 20",
    "10/minute burst 0",
    "-1/minute burst 5",
    "1.5/minute burst 5",
    "10/week burst 5",
    "10/minute burst",
    "10/minute  burst 5",
    "9999999999/day burst 5",
  ]) {
    it(`is not read from "${text}"`, () => {
      expect(() => parseRate(text)).to.throw("expected a rate as 10/minute burst 20");
    });
  }
});
