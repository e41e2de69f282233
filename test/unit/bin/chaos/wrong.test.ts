import { expect } from "chai";
import { Ledger } from "../../../../bin/chaos/ledger.ts";
import type { Outcome, PastFault } from "../../../../bin/chaos/run-schedule.ts";
import type { Verdict } from "../../../../bin/chaos/verdict.ts";
import { wrongOf } from "../../../../bin/chaos/wrong.ts";

const FINE: Verdict = { ...new Ledger().verdict(new Set()), accepted: 3, delivered: 3 };

function past(outcome: Outcome): PastFault {
  return { atMs: 0, injectedAtMs: 0, fault: { kind: "kill" }, target: { kind: "chat", index: 1 }, outcome };
}

const DONE = past({ victim: "chat 1", readyAfterMs: 20 });
const SKIPPED = past({ skipped: "it does not run" });

describe("a chaos run", () => {
  it("is fine when people found no fault and something happened, if some of it was skipped", () => {
    expect(wrongOf([DONE, SKIPPED], FINE)).to.deep.equal([]);
  });

  it("is not when somebody was never ready again", () => {
    expect(wrongOf([past({ victim: "chat 1", notReadyAfterMs: 120_001 })], FINE)).to.deep.equal([
      "not ready again 120001 ms after kill: chat 1",
    ]);
  });

  it("shows nothing without a fault", () => {
    expect(wrongOf([], FINE)).to.deep.equal(["nothing was shown: none of 0 faults was done"]);
    expect(wrongOf([SKIPPED, SKIPPED], FINE)).to.deep.equal(["nothing was shown: none of 2 faults was done"]);
  });

  it("shows nothing without a message", () => {
    expect(wrongOf([DONE], { ...FINE, accepted: 0, delivered: 0 })).to.deep.equal(["nothing was shown: no message was accepted"]);
  });

  it("is not fine when its people found fault", () => {
    expect(wrongOf([DONE], { ...FINE, inDoubt: 2, unchecked: 1 })).to.deep.equal(["in doubt: 2", "unchecked: 1"]);
  });
});
