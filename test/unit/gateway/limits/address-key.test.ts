import { expect } from "chai";
import { canonicalAddress } from "../../../../gateway/address.ts";
import { addressKey } from "../../../../gateway/limits/address-key.ts";

function keyOf(hex: string): string {
  return addressKey(canonicalAddress(Buffer.from(hex, "hex")));
}

describe("what a client is counted by", () => {
  it("is the whole of an IPv4 address", () => {
    expect(keyOf("c0000201")).to.equal("192.0.2.1");
    expect(keyOf("c0000202")).to.equal("192.0.2.2");
  });

  it("is the IPv4 address of one that is mapped into IPv6", () => {
    expect(keyOf("00000000000000000000ffffc0000201")).to.equal("192.0.2.1");
  });

  for (const [title, one, other, same] of [
    ["one to all addresses of a /64", "20010db80001000200000000000000aa", "20010db8000100020003000400050006", true],
    ["another to the next /64", "20010db8000100020000000000000001", "20010db8000100030000000000000001", false],
    ["one to a /64 of zeros", "00000000000000000000000000000001", "00000000000000000001000200030004", true],
    ["one where the zeros end in the first half", "20010000000000000001000000000000", "20010000000000000000000000000001", true],
    ["another where the zeros are in the first half", "20010000000000050001000200030004", "20010000000500000001000200030004", false],
  ] as const) {
    it(`is ${title}`, () => {
      expect(keyOf(one) === keyOf(other)).to.equal(same);
    });
  }
});
