import { expect } from "chai";
import { countFailures, HEALTHY_AFTER_MS, restartDelayMs } from "../../../../bin/launcher/backoff.ts";

describe("the backoff of restarts", () => {
  it("doubles with each failure in a row, up to half a minute", () => {
    const delays = [1, 2, 3, 4, 8, 9, 50].map((failures) => restartDelayMs(failures, 0));

    expect(delays).to.deep.equal([200, 400, 800, 1_600, 25_600, 30_000, 30_000]);
  });

  it("is shortened at random by up to a half", () => {
    expect(restartDelayMs(3, 0.5)).to.equal(600);
    expect(restartDelayMs(3, 1)).to.equal(400);
  });

  it("begins again once a process ran healthy for a while", () => {
    expect(countFailures(6, HEALTHY_AFTER_MS - 1)).to.equal(7);
    expect(countFailures(6, HEALTHY_AFTER_MS)).to.equal(1);
  });
});
