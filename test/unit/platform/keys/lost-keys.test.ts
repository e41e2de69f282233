import { expect } from "chai";
import { lostKeysVariable } from "../../../../platform/keys/lost-keys.ts";

describe("the list of keys that are lost for good", () => {
  it("names each by its kind and id", () => {
    const names = ["at-rest:0123456789abcdef", "token:fedcba9876543210"];

    expect(lostKeysVariable.parse(names.join(", "))).to.deep.equal(names);
    expect(lostKeysVariable.parse(lostKeysVariable.default)).to.deep.equal([]);
  });

  for (const text of ["token", "0123456789abcdef", "tokens:0123456789abcdef", "token:0123", "token:0123456789ABCDEF"]) {
    it(`is refused when it reads "${text}"`, () => {
      expect(() => lostKeysVariable.parse(text)).to.throw("expected a comma list of <kind>:<kid>");
    });
  }
});
