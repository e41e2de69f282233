import { expect } from "chai";
import { identifySelf, isRunning, parseIdentity, parseProcStat } from "../../../../bin/process/identity.ts";

describe("the identity of a process", () => {
  it("is read from a stat line whose command has spaces and parentheses", () => {
    const stat = `4711 (a (b) c) S 1 2 3 ${Array.from({ length: 15 }, (_, index) => index).join(" ")} 99887 5 6`;

    expect(parseProcStat(stat)).to.deep.equal({ state: "S", startTicks: "99887" });
  });

  it("is not read from anything else", () => {
    expect(parseProcStat("")).to.equal(undefined);
    expect(parseProcStat("4711 (a) S 1")).to.equal(undefined);
  });

  it("survives being written down", async () => {
    const self = await identifySelf();

    expect(parseIdentity(JSON.stringify(self))).to.deep.equal(self);
  });

  for (const json of ["", "null", "{}", '{"pid":"1","startedAt":"x"}', '{"pid":1}', "{torn"]) {
    it(`is not taken from ${JSON.stringify(json)}`, () => {
      expect(parseIdentity(json)).to.equal(undefined);
    });
  }

  it("tells a process from a later one with the same id", async () => {
    const self = await identifySelf();

    expect(await isRunning(self)).to.equal(true);
    expect(await isRunning({ ...self, startedAt: "another time" })).to.equal(false);
  });
});
