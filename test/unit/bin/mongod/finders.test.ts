import { expect } from "chai";
import { mongodFinders } from "../../../../bin/mongod/finders.ts";

describe("the places where a MongoDB server is looked for", () => {
  it("come in the order of what costs least", () => {
    const names = mongodFinders({}, () => undefined).map(({ name }) => name);

    expect(names).to.deep.equal(["PATH", "cache", "download", "wheel"]);
  });
});
