import { isIPv6 } from "node:net";
import { expect } from "chai";
import fc from "fast-check";
import { canonicalAddress } from "../../../gateway/address.ts";

describe("the canonical address", () => {
  for (const [hex, text] of [
    ["7f000001", "127.0.0.1"],
    ["00000000000000000000ffff7f000001", "127.0.0.1"],
    ["00000000000000000000000000000001", "::1"],
    ["00000000000000000000000000000000", "::"],
    ["20010db8000000000000000000000001", "2001:db8::1"],
    ["20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"],
    ["20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
    ["fe800000000000000000000000000000", "fe80::"],
  ] as const) {
    it(`of ${hex} is ${text}`, () => {
      expect(canonicalAddress(Buffer.from(hex, "hex"))).to.equal(text);
    });
  }

  it("is the one that URLs use, for every IPv6 address that is not mapped", () => {
    const unmapped = fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => bytes[0] !== 0);

    fc.assert(
      fc.property(unmapped, (bytes) => {
        const text = canonicalAddress(bytes);
        expect(isIPv6(text)).to.equal(true);
        expect(new URL(`http://[${text}]`).hostname).to.equal(`[${text}]`);
      }),
    );
  });

  it("of neither 4 nor 16 bytes is none", () => {
    expect(() => canonicalAddress(new Uint8Array(0))).to.throw(TypeError);
  });
});
