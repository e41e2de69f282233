import { expect } from "chai";
import fc from "fast-check";
import {
  type AttemptOutcome,
  attempted,
  fullBudget,
  isFree,
  paceMs,
  RESERVE,
  type RetryBudget,
  seemsDown,
  settled,
} from "../../../client/retry-budget.ts";

function settleTimes(budget: RetryBudget, times: number, outcome: AttemptOutcome): RetryBudget {
  return Array.from({ length: times }).reduce<RetryBudget>((before) => settled(before, outcome, 0), budget);
}

describe("what a client may spend on repeating calls", () => {
  it("is at most a fifth of its calls, and the reserve, whatever happens", () => {
    const step = fc.constantFrom("first", "repeat", "resend", "answered", "failed", "none");

    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(2_000)), { maxLength: 500, size: "max" }), (steps) => {
        const made = { first: 0, repeat: 0, resend: 0 };
        let budget = fullBudget;
        let now = 0;
        for (const [what, passed] of steps) {
          now += passed;
          if (what === "answered" || what === "failed" || what === "none") {
            budget = settled(budget, what, now);
          } else if (isFree(budget, what, now)) {
            budget = attempted(budget, what, now);
            made[what] += 1;
          }
        }

        expect(made.repeat + made.resend).to.be.at.most(0.2 * made.first + RESERVE);
      }),
    );
  });

  it("is spent no faster after a long calm than after a short one", () => {
    let budget = fullBudget;
    for (let call = 0; call < 10_000; call += 1) {
      budget = settled(attempted(budget, "first", 0), "answered", 0);
    }

    let repeats = 0;
    for (; isFree(budget, "repeat", 0); repeats += 1) {
      budget = attempted(budget, "repeat", 0);
    }

    expect(repeats).to.equal(RESERVE);
  });

  it("is nothing, for first attempts too, while the service seems to be down", () => {
    const down = settleTimes(fullBudget, 10, "failed");

    expect(seemsDown(settleTimes(fullBudget, 9, "failed"), 0)).to.equal(false);
    expect(seemsDown(down, 0)).to.equal(true);
    expect([isFree(down, "first", 0), isFree(down, "repeat", 0)]).to.deep.equal([false, false]);
    expect(isFree(settled(down, "answered", 0), "first", 0)).to.equal(true);
  });

  it("is nothing while many attempts wait and none is answered for half a second", () => {
    const attempts = Array.from({ length: 10 }, () => "first" as const);
    const many = attempts.reduce<RetryBudget>((budget, kind) => attempted(budget, kind, 5_000), fullBudget);

    expect(seemsDown(many, 5_499)).to.equal(false);
    expect(seemsDown(many, 5_500)).to.equal(true);
    expect(seemsDown(settled(many, "none", 5_100), 60_000)).to.equal(false);
    expect(seemsDown(attempted(settled(many, "answered", 5_400), "first", 5_450), 5_899)).to.equal(false);
  });

  it("grows by what is lent: once a second, and faster with each answer in a row", () => {
    const paces = [0, 1, 2, 3, 4, 5, 50].map((answers) => paceMs(settleTimes(fullBudget, answers, "answered")));

    expect(paces).to.deep.equal([1_000, 500, 250, 125, 62.5, 50, 50]);
    expect(paceMs(settled(settleTimes(fullBudget, 50, "answered"), "failed", 0))).to.equal(1_000);
  });
});
