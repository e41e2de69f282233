import { expect } from "chai";
import fc from "fast-check";
import { rankCandidates } from "../../../gateway/rendezvous.ts";

const candidates = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 6 });

describe("the ranking of copies", () => {
  it("does not depend on the order in which they are named", () => {
    fc.assert(
      fc.property(fc.string(), candidates, (key, names) => {
        expect(rankCandidates(key, [...names].reverse())).to.deep.equal(rankCandidates(key, names));
      }),
    );
  });

  it("moves only the keys of a copy that goes", () => {
    fc.assert(
      fc.property(fc.string(), candidates, (key, names) => {
        const ranking = rankCandidates(key, names);
        const gone = names[0];
        expect(rankCandidates(key, names.slice(1))).to.deep.equal(ranking.filter((name) => name !== gone));
      }),
    );
  });

  it("spreads keys over all copies", () => {
    const firsts = Array.from({ length: 300 }, (_, index) => rankCandidates(`key ${index}`, ["a", "b", "c"])[0]);

    for (const name of ["a", "b", "c"]) {
      expect(firsts.filter((first) => first === name).length).to.be.within(60, 140);
    }
  });
});
