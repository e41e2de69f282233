import { expect } from "chai";
import { type Evidence, type FaultKind, faultsOf } from "../../../../../services/chat/ledger/faults.ts";
import type { BodyKey } from "../../../../../services/chat/store/inbox.ts";
import type { ClaimView } from "../../../../../services/chat/store/ledger.ts";
import { LIFETIME_MS } from "../../../../../services/chat/store/sends.ts";

const NOW = 1_800_000_000_000;
const BOUNDS = { now: NOW, unansweredMs: 600_000, marginMs: 300_000 };

const CASES: readonly (readonly [title: string, evidence: Evidence, faults: readonly FaultKind[]])[] = [
  ["nothing at all", message(undefined), []],
  ["a claim and its body", message(pending(60_000), 60_000), []],
  ["a claim whose body may be on its way", message(pending(600_000)), []],
  ["a claim whose body never came", message(pending(600_001)), ["claim-without-body"]],
  ["a claim and the body of another one", message(pending(600_001), 700_000), ["body-without-claim", "claim-without-body"]],
  ["a young claim and the body of another one", message(pending(1_000), 700_000), ["body-without-claim"]],
  ["a claim with its body and, on another shard, that of another one", message(pending(1_000), 1_000, 700_000), ["body-without-claim"]],
  ["a body alone", message(undefined, 1), ["body-without-claim"]],
  ["an ended claim", message(ended()), []],
  ["an ended claim and a body", message(ended(), 1_000), ["body-without-claim"]],
  ["an ended claim that would be kept for ever", message(ended({ hasPurgeDate: false })), ["claim-without-date"]],
  ["a pending claim that would be kept for ever", message(pending(1_000, { expiresAt: undefined }), 1_000), ["claim-without-date"]],
  ["what the sweep has still time for", message(pending(LIFETIME_MS + 300_000), LIFETIME_MS + 300_000), []],
  ["what is overdue", message(pending(LIFETIME_MS + 300_001), LIFETIME_MS + 300_001), ["overdue-body", "overdue-claim"]],
  ["an overdue claim without a body", message(pending(LIFETIME_MS + 300_001)), ["claim-without-body", "overdue-claim"]],
];

describe("what is wrong with a message", () => {
  for (const [title, evidence, faults] of CASES) {
    it(`is ${faults.join(" and ") || "nothing"} for ${title}`, () => {
      expect(faultsOf(evidence, BOUNDS)).to.deep.equal(faults);
    });
  }
});

function message(claim: ClaimView | undefined, ...bodyAgesMs: readonly number[]): Evidence {
  return { claim, bodies: bodyAgesMs.map((ageMs): BodyKey => ({ id: "m", recipientId: "r", acceptedAt: NOW - ageMs })) };
}

function pending(ageMs: number, more: Partial<ClaimView> = {}): ClaimView {
  const acceptedAt = NOW - ageMs;
  return { id: "m", state: "pending", acceptedAt, expiresAt: acceptedAt + LIFETIME_MS, hasPurgeDate: false, ...more };
}

function ended(more: Partial<ClaimView> = {}): ClaimView {
  return { id: "m", state: "delivered", acceptedAt: NOW - 1_000, expiresAt: undefined, hasPurgeDate: true, ...more };
}
