import { createHash } from "node:crypto";
import { expect } from "chai";
import {
  beginFamily,
  confirm,
  EXPIRY_MS,
  type Family,
  MAX_RETIRED,
  type Moment,
  type Presentation,
  present,
} from "../../../../../services/account/tokens/family.ts";

const START = Date.UTC(2024, 0, 1);
const GRACE_MS = 10_000;

function digest(name: string): Buffer {
  return createHash("sha256").update(name).digest();
}

function shown(generation: number, name: string, fresh = "fresh"): Presentation {
  return { generation, digest: digest(name), fresh: { digest: digest(fresh), sealed: Buffer.from(fresh) } };
}

function at(ms: number, graceMs = GRACE_MS): Moment {
  return { now: new Date(START + ms), graceMs };
}

const begun: Family = beginFamily(digest("one"), new Date(START));
const minted: Family = present(begun, shown(1, "one", "two"), at(1)).family;
const confirmed: Family = confirm(minted, 2, at(2));

describe("a family of refresh tokens", () => {
  it("begins with one token of generation 1 that is usable at once", () => {
    const { outcome } = present(begun, shown(1, "one"), at(0));

    expect(outcome).to.deep.equal({ kind: "minted", generation: 2 });
  });

  it("keeps the presented token beside its unconfirmed successor", () => {
    expect(minted).to.deep.equal({
      generation: 1,
      digest: digest("one"),
      next: { generation: 2, digest: digest("two"), sealed: Buffer.from("two") },
      retired: [],
      version: 2,
      usedAt: new Date(START + 1),
    });
  });

  it("repeats the successor that there is, and its version stays", () => {
    const { family, outcome } = present(minted, shown(1, "one", "another"), at(3));

    expect(outcome).to.deep.equal({ kind: "repeated", generation: 2, sealed: Buffer.from("two") });
    expect(family).to.deep.equal({ ...minted, usedAt: new Date(START + 3) });
  });

  it("moves to the successor when it is confirmed", () => {
    expect(confirmed).to.deep.equal({
      generation: 2,
      digest: digest("two"),
      retired: [{ generation: 1, at: new Date(START + 2) }],
      version: 3,
      usedAt: new Date(START + 1),
    });
  });

  it("is not changed by a confirmation again, of an older generation, or of one that does not exist", () => {
    for (const generation of [0, 1, 2, 3, 4]) {
      expect(confirm(confirmed, generation, at(3))).to.equal(confirmed);
    }
    expect(confirm(begun, 2, at(3))).to.equal(begun);
  });

  it("confirms the successor that is presented and mints its own in one step", () => {
    const { family, outcome } = present(minted, shown(2, "two", "three"), at(5));

    expect(outcome).to.deep.equal({ kind: "promoted", generation: 3, retires: 1 });
    expect(family).to.deep.equal({
      generation: 2,
      digest: digest("two"),
      next: { generation: 3, digest: digest("three"), sealed: Buffer.from("three") },
      retired: [{ generation: 1, at: new Date(START + 5) }],
      version: 4,
      usedAt: new Date(START + 5),
    });
  });

  it("refuses a retired token within the grace, and no more", () => {
    const { family, outcome } = present(confirmed, shown(1, "one"), at(2 + GRACE_MS - 1));

    expect(outcome.kind).to.equal("justRetired");
    expect(family).to.equal(confirmed);
  });

  it("takes a retired token for stolen once the grace is over", () => {
    expect(present(confirmed, shown(1, "one"), at(2 + GRACE_MS)).outcome.kind).to.equal("reused");
  });

  it("has no grace when the grace is 0", () => {
    expect(present(confirmed, shown(1, "one"), at(2, 0)).outcome.kind).to.equal("reused");
  });

  it("takes a retired token for stolen when its retirement is forgotten", () => {
    const forgotten = confirm(present(confirmed, shown(2, "two", "three"), at(50_000)).family, 3, at(50_001));

    expect(forgotten.retired).to.deep.equal([{ generation: 2, at: new Date(START + 50_001) }]);
    expect(present(forgotten, shown(1, "one"), at(50_002)).outcome.kind).to.equal("reused");
    expect(present(forgotten, shown(2, "two"), at(50_002)).outcome.kind).to.equal("justRetired");
  });

  it("does not know a token of its generation with another digest", () => {
    expect(present(begun, shown(1, "forged"), at(1)).outcome.kind).to.equal("unknown");
    expect(present(minted, shown(2, "forged"), at(1)).outcome.kind).to.equal("unknown");
  });

  it("does not know a generation that was never minted", () => {
    expect(present(begun, shown(2, "two"), at(1)).outcome.kind).to.equal("unknown");
    expect(present(minted, shown(3, "three"), at(1)).outcome.kind).to.equal("unknown");
  });

  it("expires after 90 days without an exchange, and not before", () => {
    expect(present(begun, shown(1, "one"), at(EXPIRY_MS - 1)).outcome.kind).to.equal("minted");
    expect(present(begun, shown(1, "one"), at(EXPIRY_MS)).outcome.kind).to.equal("expired");
    expect(present(minted, shown(1, "one"), at(EXPIRY_MS)).outcome.kind).to.equal("repeated");
  });

  it("judges what a full list of retirements does not hold by its oldest entry", () => {
    const rotate = (family: Family, ms: number): Family =>
      present(family, shown(family.generation + 1, `${family.generation + 1}`, `${family.generation + 2}`), at(ms)).family;
    const first = present(begun, shown(1, "one", "2"), at(0)).family;

    const full = Array.from({ length: MAX_RETIRED + 10 }, (_, index) => index + 1).reduce(rotate, first);

    expect(full.retired).to.have.length(MAX_RETIRED);
    const oldest = full.retired[0]?.at.getTime() ?? 0;
    expect(present(full, shown(1, "one"), at(oldest - START + GRACE_MS - 1)).outcome.kind).to.equal("justRetired");
    expect(present(full, shown(1, "one"), at(oldest - START + GRACE_MS)).outcome.kind).to.equal("reused");
  });
});
