import { expect } from "chai";
import type { Document } from "mongodb";
import { firstConfiguration, memberHost } from "../../../../bin/mongod/replica-set.ts";

describe("the one-node replica set", () => {
  const set: Document = firstConfiguration("127.0.0.1:4000");

  it("knows its member by a port of this machine", () => {
    expect(memberHost(set)).to.equal("127.0.0.1:4000");
  });

  it("is not taken for one that has members elsewhere", () => {
    const foreign = { ...set, members: [{ _id: 0, host: "db1.example:27017" }] };
    const larger = { ...set, members: [...set["members"], { _id: 1, host: "127.0.0.1:4002" }] };

    expect(() => memberHost(foreign)).to.throw("not the launcher's own");
    expect(() => memberHost(larger)).to.throw("not the launcher's own");
  });
});
