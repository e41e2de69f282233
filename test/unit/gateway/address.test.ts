import { isIPv6 } from "node:net";
import { expect } from "chai";
import fc from "fast-check";
import { canonicalAddress, parseAddress } from "../../../gateway/address.ts";

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

describe("an address that is written", () => {
  it("is read back from its canonical text", () => {
    const bytes = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));

    fc.assert(
      fc.property(bytes, (address) => {
        const text = canonicalAddress(address);
        expect(canonicalAddress(parseAddress(text) ?? new Uint8Array())).to.equal(text);
      }),
    );
  });

  it("is read in every form that URLs read", () => {
    const group = fc.oneof(
      fc.constant("0"),
      fc.constant("0000"),
      fc.integer({ min: 1, max: 0xffff }).map((value) => value.toString(16)),
    );
    const full = fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(":"));
    const short = fc
      .tuple(fc.array(group, { maxLength: 3 }), fc.array(group, { maxLength: 4 }))
      .map((halves) => halves.map((half) => half.join(":")).join("::"));
    const dotted = fc.ipV4().map((tail) => `64:ff9b::${tail}`);

    fc.assert(
      fc.property(fc.oneof(full, short, dotted), (text) => {
        const bytes = parseAddress(text.toUpperCase()) ?? new Uint8Array();
        fc.pre(bytes.length === 16);
        expect(`[${canonicalAddress(bytes)}]`).to.equal(new URL(`http://[${text}]`).hostname);
      }),
    );
  });

  for (const text of [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "1.2.3.256",
    "::1%lo",
    "[::1]",
    "::1::",
    "1:2:3:4:5:6:7:8:9",
    "localhost",
    "1.2.3.4:5",
  ]) {
    it(`is none in ${JSON.stringify(text)}`, () => {
      expect(parseAddress(text)).to.equal(undefined);
    });
  }
});
