import { expect } from "chai";
import fc from "fast-check";
import {
  beginsAgain,
  confirmsOnPresentation,
  forgetsTheSeal,
  forgivesTheft,
  hasNoGrace,
  ignoresDigests,
  mintsOnEveryRepeat,
} from "./broken-rules.ts";
import { GRACE_MS, type Happening, histories, honestHistories, type Rules, realRules, World } from "./history.ts";

const ACCEPTED: readonly string[] = ["minted", "promoted", "repeated"];

/** Whatever happens to an honest client, the token that it holds is accepted, and nothing it sends is taken for stolen. */
function locksNobodyOut(rules: Rules, happenings: readonly Happening[]): boolean {
  const world = new World(rules);
  return happenings.every((happening) => {
    world.happen(happening);
    return !world.isRevoked && ACCEPTED.includes(world.ask(world.held)) && world.presented.every(({ outcome }) => outcome !== "unknown");
  });
}

/** Of all tokens that ever left the server at most two are accepted, and never two of one generation. */
function hasOneSuccessor(rules: Rules, happenings: readonly Happening[]): boolean {
  const world = new World(rules);
  return happenings.every((happening) => {
    world.happen(happening);
    const live = world.issued.filter((token) => ACCEPTED.includes(world.ask(token)));
    return live.length <= 2 && new Set(live.map(({ generation }) => generation)).size === live.length;
  });
}

/** Whoever presents a token later than the grace after its retirement ends the session, and nobody else does. */
function findsThieves(rules: Rules, happenings: readonly Happening[]): boolean {
  const world = new World(rules);
  return happenings.every((happening) => {
    const before = world.presented.length;
    const retiredAt = new Map(world.retiredAt);
    world.happen(happening);
    return world.presented.slice(before).every(({ token, outcome, at }) => {
      const since = retiredAt.get(token.generation);
      return (outcome === "reused") === (since !== undefined && at - since >= GRACE_MS);
    });
  });
}

type Property = (rules: Rules, happenings: readonly Happening[]) => boolean;

function isRefuted(property: Property, rules: Rules, from: fc.Arbitrary<Happening[]>): boolean {
  return fc.check(
    fc.property(from, (happenings) => property(rules, happenings)),
    { numRuns: 2_000, seed: 1 },
  ).failed;
}

describe("any history of a family of refresh tokens", () => {
  it("locks no honest client out, whatever is lost, late, repeated or cut", () => {
    fc.assert(
      fc.property(honestHistories, (happenings) => locksNobodyOut(realRules, happenings)),
      { numRuns: 1_000 },
    );
  });

  it("never has two live successors, with a thief about", () => {
    fc.assert(
      fc.property(histories, (happenings) => hasOneSuccessor(realRules, happenings)),
      { numRuns: 500 },
    );
  });

  it("ends with the presentation of a token that was retired for longer than the grace, and with nothing else", () => {
    fc.assert(
      fc.property(histories, (happenings) => findsThieves(realRules, happenings)),
      { numRuns: 1_000 },
    );
  });

  it("reaches every outcome but expiry in the histories that are tried", () => {
    const seen = new Set<string>();

    fc.assert(
      fc.property(histories, (happenings) => {
        const world = new World(realRules);
        for (const happening of happenings) {
          world.happen(happening);
        }
        for (const { outcome } of world.presented) {
          seen.add(outcome);
        }
      }),
      { numRuns: 500, seed: 1 },
    );

    expect([...seen]).to.have.members(["minted", "promoted", "repeated", "justRetired", "reused"]);
  });

  for (const [property, rules, from] of [
    [locksNobodyOut, { mintsOnEveryRepeat, confirmsOnPresentation, hasNoGrace, forgetsTheSeal }, honestHistories],
    [hasOneSuccessor, { ignoresDigests }, histories],
    [findsThieves, { forgivesTheft, hasNoGrace, beginsAgain }, histories],
  ] as const) {
    for (const [name, broken] of Object.entries(rules)) {
      it(`would be found out by ${property.name} if the family ${name}`, () => {
        expect(isRefuted(property, broken, from)).to.equal(true);
      });
    }
  }
});
