import { expect } from "chai";
import type { Document } from "mongodb";
import { firstConfiguration, moved, needsMove } from "../../../../bin/mongod/replica-set.ts";

describe("the one-node replica set", () => {
  const set: Document = { ...firstConfiguration("127.0.0.1:4000"), version: 7 };

  it("moves only when its member has another port", () => {
    expect(needsMove(set, "127.0.0.1:4000")).to.equal(false);
    expect(needsMove(set, "127.0.0.1:4001")).to.equal(true);
  });

  it("moves as the next version of its configuration", () => {
    const next = moved(set, "127.0.0.1:4001");

    expect(next).to.deep.equal({ ...set, version: 8, members: [{ _id: 0, host: "127.0.0.1:4001" }] });
  });

  it("is not taken for one that has members elsewhere", () => {
    const foreign = { ...set, members: [{ _id: 0, host: "db1.example:27017" }] };
    const larger = { ...set, members: [...set["members"], { _id: 1, host: "127.0.0.1:4002" }] };

    expect(() => needsMove(foreign, "127.0.0.1:4000")).to.throw("not the launcher's own");
    expect(() => needsMove(larger, "127.0.0.1:4000")).to.throw("not the launcher's own");
  });
});
