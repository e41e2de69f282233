import { expect } from "chai";
import { derivedUuid, isUuid, newUuid, parseUuid, uuidBytes, uuidFromBytes } from "../../../platform/ids.ts";

describe("ids", () => {
  it("reads a UUID in either case as one id", () => {
    expect(parseUuid("0F8FAD5B-D9CB-469F-A165-70867728950E")).to.equal("0f8fad5b-d9cb-469f-a165-70867728950e");
  });

  it("refuses what is no UUID", () => {
    for (const text of [
      "",
      "0f8fad5bd9cb469fa16570867728950e",
      "{0f8fad5b-d9cb-469f-a165-70867728950e}",
      "0f8fad5b-d9cb-469f-a165-70867728950g",
    ]) {
      expect(isUuid(text), text).to.equal(false);
      expect(() => parseUuid(text), text).to.throw(TypeError);
    }
  });

  it("turns a UUID into 16 bytes and back", () => {
    const id = newUuid();

    expect(uuidBytes(id)).to.have.length(16);
    expect(uuidFromBytes(uuidBytes(id))).to.equal(id);
  });

  it("reads a UUID out of the middle of a buffer", () => {
    const id = newUuid();
    const buffer = Buffer.concat([Buffer.alloc(3), uuidBytes(id), Buffer.alloc(5)]);

    expect(uuidFromBytes(buffer.subarray(3, 19))).to.equal(id);
  });

  it("derives the same version 8 UUID from the same parts", () => {
    expect(derivedUuid("a", Buffer.from("b"))).to.equal(derivedUuid("ab"));
    expect(derivedUuid("ab")).to.equal("fb8e20fc-2e4c-8f24-8c60-c39bd652f3c1");
    expect(isUuid(derivedUuid("x"))).to.equal(true);
  });
});
