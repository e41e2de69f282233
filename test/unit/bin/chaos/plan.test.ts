import { expect } from "chai";
import { planOf } from "../../../../bin/chaos/plan.ts";
import { UsageError } from "../../../../bin/command.ts";

describe("the plan of a chaos run", () => {
  it("is 50 faults among 200 people on two of each role and three servers, when nothing is said", () => {
    const plan = planOf(new Set(), 7);

    expect(plan).to.include({ seed: 7, faults: 50, people: 200, longestMs: 30_000 });
    expect(plan.counts).to.deep.equal({ gateway: 2, chat: 2, account: 2, mongod: 3 });
  });

  it("fills no disk unless it is asked to", () => {
    expect(planOf(new Set(), 7).kinds).to.include.members(["kill", "pause", "half", "step-down", "read-only"]).and.not.include("full-disk");
    expect(planOf(new Set(["--kinds=full-disk"]), 7).kinds).to.deep.equal(["full-disk"]);
  });

  it("takes the seed of a run that is to be replayed", () => {
    expect(planOf(new Set(["--seed=0"]), 7).seed).to.equal(0);
  });

  it("names all faults of connections by one word", () => {
    expect(planOf(new Set(["--kinds=kill,proxy"]), 7).kinds).to.deep.equal(["kill", "delay", "cut", "black-hole", "half", "refuse"]);
  });

  it("has as many gateways as it is told the addresses of", () => {
    expect(planOf(new Set(["--urls=https://a.example,https://b.example,http://c.example:8080"]), 7).counts.gateway).to.equal(3);
  });

  for (const flag of ["--faults=x", "--faults=0", "--people=1", "--seed=-1", "--kinds=fire", "--urls=chat.example", "--inject=./strike"]) {
    it(`refuses ${flag}`, () => {
      expect(() => planOf(new Set([flag]), 7)).to.throw(UsageError);
    });
  }
});
