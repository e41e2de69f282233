import { expect } from "chai";
import { wrongInLedger } from "../../../../bin/chaos/check-ledger.ts";
import { type LedgerReport, Tally } from "../../../../services/chat/ledger/report.ts";

const FINE: LedgerReport = {
  counts: { pending: 0, delivered: 2, expired: 0, deleted: 0 },
  claims: 0,
  bodies: 0,
  unanswered: 0,
  faults: new Tally().counts(),
};

describe("the ledger of the database after a chaos run", () => {
  it("is fine when it holds what was accepted, repaired or not", () => {
    const tally = new Tally();
    tally.find(["body-without-claim"], "1");

    expect(wrongInLedger({ ...FINE, faults: tally.counts() }, 2)).to.deep.equal([]);
  });

  it("is not when it holds less than was accepted", () => {
    expect(wrongInLedger(FINE, 3)).to.deep.equal(["the ledger holds 2 messages, and 3 were accepted"]);
  });

  it("is not when a message waits without a body, although nobody is about to repeat anything", () => {
    expect(wrongInLedger({ ...FINE, claims: 1, unanswered: 1 }, 2)).to.deep.equal(["1 pending messages of the ledger have no body"]);
  });

  it("is not when something could not be repaired", () => {
    const tally = new Tally();
    tally.find(["body-without-claim"], "1");
    tally.leave(["body-without-claim"], "1");

    expect(wrongInLedger({ ...FINE, faults: tally.counts() }, 2).join()).to.match(/^the ledger is not consistent: .*"left":1/);
  });
});
