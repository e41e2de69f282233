import { expect } from "chai";
import { isSettling, type Settling, seenUp, unsettled } from "../../../../services/account/settling.ts";

function watched(from: number, to: number, state: Settling): Settling {
  let seen = state;
  for (let now = from; now <= to; now += 1_000) {
    seen = seenUp(seen, now);
  }
  return seen;
}

describe("the time in which a lapsed lease says nothing", () => {
  it("has not ended before the database was seen", () => {
    expect(isSettling(unsettled, 1e9)).to.equal(true);
  });

  it("ends 15 seconds after the start", () => {
    const state = watched(0, 15_000, unsettled);

    expect(isSettling(watched(0, 14_000, unsettled), 14_999)).to.equal(true);
    expect(isSettling(state, 15_000)).to.equal(false);
  });

  it("begins again while the database is not seen, and ends 15 seconds after it is seen again", () => {
    const before = watched(0, 60_000, unsettled);

    expect(isSettling(before, 64_000)).to.equal(false);
    expect(isSettling(before, 65_001)).to.equal(true);
    const after = watched(90_000, 104_000, before);
    expect(isSettling(after, 104_999)).to.equal(true);
    expect(isSettling(seenUp(after, 105_000), 105_000)).to.equal(false);
  });

  it("does not begin again for a look or two that are missing", () => {
    const state = seenUp(watched(0, 60_000, unsettled), 64_500);

    expect(isSettling(state, 64_500)).to.equal(false);
  });
});
