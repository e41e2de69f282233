import { expect } from "chai";
import { runCampaign } from "./campaign.ts";
import { FLAW_NAMES, FLAWS, type FlawName } from "./flaws.ts";

/** Where the search begins for what is rare; `npm run simulate -- --mutations` begins at 1. */
const RARE: Partial<Readonly<Record<FlawName, number>>> = {
  "believes-the-page": 9_000,
  "believes-old-frames": 6_000,
};
const BUDGET = 2_000;

describe("the simulation of many clients, copies and faults", function () {
  this.timeout(120_000);

  it("breaks no promise in histories of all kinds", () => {
    const { histories, findings } = runCampaign({ seed: 1, histories: 3_000 }, 1);

    expect(findings).to.deep.equal([]);
    expect(histories).to.equal(3_000);
  });

  it("has the same history for the same seed", () => {
    const [one, other] = [1, 2].map(() => runCampaign({ seed: 77, histories: 50 }, 1));

    expect(one).to.deep.equal(other);
  });

  for (const flaw of FLAW_NAMES) {
    it(`finds out if ${FLAWS[flaw].about}`, () => {
      const { findings } = runCampaign({ seed: RARE[flaw] ?? 1, histories: BUDGET, flaw }, 1);

      expect(findings.map(({ promise }) => promise)).to.have.lengthOf(1);
    });
  }
});
