import { expect } from "chai";
import { nextLook, type Vigil, whatIsDue } from "../../../gateway/vigil.ts";

const limits = { helloTimeoutMs: 10_000, pingIntervalMs: 25_000 };
const quiet: Vigil = { frameAt: 0, pingAt: 25_000, drainAt: 1_000_000, stepAt: undefined, stalledSince: undefined, closing: undefined };

describe("what a socket's clock watches", () => {
  it("is nothing before its time, and all of it from its time on", () => {
    const cases: [Partial<Vigil>, number, object][] = [
      [{ pingAt: 500 }, 500, { kind: "ping" }],
      [{ pingAt: 100_000 }, 35_000, { kind: "terminate" }],
      [{ stepAt: 0 }, 10_000, { kind: "timeOutExchange" }],
      [{ stalledSince: 100, frameAt: 20_000, pingAt: 90_000 }, 30_100, { kind: "close", code: 4008 }],
      [{ drainAt: 700 }, 700, { kind: "drain" }],
      [{ closing: { at: 800, code: 4409 } }, 800, { kind: "close", code: 4409 }],
    ];

    for (const [change, at, due] of cases) {
      expect(whatIsDue({ ...quiet, ...change }, limits, at - 1)).to.deep.equal([]);
      expect(whatIsDue({ ...quiet, ...change }, limits, at)).to.deep.equal([due]);
    }
  });

  it("does not drain what is being closed", () => {
    expect(whatIsDue({ ...quiet, drainAt: 1, closing: { at: 900, code: 4409 } }, limits, 500)).to.deep.equal([]);
  });

  it("is looked at again when the first of it is due", () => {
    expect(nextLook(quiet, limits, 0)).to.equal(25_000);
    expect(nextLook({ ...quiet, pingAt: 90_000 }, limits, 0)).to.equal(35_000);
    expect(nextLook({ ...quiet, stepAt: 3_000 }, limits, 0)).to.equal(13_000);
    expect(nextLook({ ...quiet, drainAt: 700 }, limits, 0)).to.equal(700);
    expect(nextLook({ ...quiet, drainAt: 700, closing: { at: 900, code: 4001 } }, limits, 0)).to.equal(900);
    expect(nextLook({ ...quiet, stalledSince: 0 }, limits, 5)).to.equal(1_005);
  });
});
