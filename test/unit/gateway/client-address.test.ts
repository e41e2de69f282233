import { BlockList, isIPv4 } from "node:net";
import { expect } from "chai";
import fc from "fast-check";
import { canonicalAddress, parseAddress } from "../../../gateway/address.ts";
import { TrustedProxies } from "../../../gateway/client-address.ts";

function bytesOf(address: string): Uint8Array {
  return parseAddress(address) ?? expect.fail(`${address} is no address`);
}

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(canonicalAddress);
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(canonicalAddress);

describe("a client's address behind trusted proxies", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8", "127.0.0.1", "fd00::/8", "::ffff:192.0.2.0/120"]);

  for (const [title, peer, lines, client] of [
    ["is the peer's without the header", "10.0.0.1", [], "10.0.0.1"],
    ["is the peer's when the peer is no trusted proxy, whatever its header says", "203.0.113.9", ["198.51.100.1"], "203.0.113.9"],
    ["is the peer's when the peer is no trusted proxy, readable or not", "203.0.113.9", ["", "nonsense"], "203.0.113.9"],
    ["is what the proxy says", "10.0.0.1", ["198.51.100.1"], "198.51.100.1"],
    ["is the rightmost that is no proxy", "10.0.0.1", ["192.168.9.9, 198.51.100.1, 10.2.3.4"], "198.51.100.1"],
    ["is found over all lines, in order", "10.0.0.1", ["203.0.113.1", "198.51.100.1", "10.2.3.4 ,10.0.0.9"], "198.51.100.1"],
    ["does not depend on what is left of it", "10.0.0.1", ["", "unknown", "<script>, ,198.51.100.1"], "198.51.100.1"],
    ["is the leftmost when all are proxies", "10.0.0.1", ["10.9.9.9, 10.2.3.4"], "10.9.9.9"],
    ["is the same mapped into IPv6", "10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"],
    ["passes a proxy whose block is written mapped", "192.0.2.7", ["198.51.100.1, ::FFFF:192.0.2.8"], "198.51.100.1"],
    ["is written as RFC 5952 says", "fd00::1", ["2001:DB8:0:0::1"], "2001:db8::1"],
    ["may come with its port", "10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"],
    ["may come in brackets", "10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"],
    ["may come in brackets with its port", "10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"],
  ] as const) {
    it(title, () => {
      expect(proxies.clientOf(bytesOf(peer), lines)).to.equal(client);
    });
  }

  for (const lines of [
    [""],
    [" "],
    ["198.51.100.1", ""],
    ["198.51.100.1,"],
    ["198.51.100.1, ,10.0.0.1"],
    ["unknown"],
    ["_hidden"],
    ["198.51.100.1 10.0.0.1"],
    ["198.51.100"],
    ["198.51.100.01"],
    ["198.51.100.256"],
    ["fe80::1%eth0"],
    ["[fe80::1%eth0]"],
    ["[198.51.100.1]"],
    ["2001:db8::1::2"],
    ["2001:db8::1]:80"],
    ["198.51.100.1:port"],
    ['"198.51.100.1"'],
    ["for=198.51.100.1"],
    ["198.51.100.1/32"],
    ["localhost"],
    ["10.0.0.1,x"],
    ["x,10.0.0.1"],
  ]) {
    it(`cannot be read from ${JSON.stringify(lines)}`, () => {
      expect(proxies.clientOf(bytesOf("10.0.0.1"), lines)).to.equal(undefined);
    });
  }

  it("is never one of a block, unless all hops are", () => {
    const hops = fc.array(fc.oneof(ipv4, ipv6, fc.constantFrom("10.1.1.1", "fd00::7")), { minLength: 1, maxLength: 6 });

    fc.assert(
      fc.property(hops, fc.nat(), (given, cut) => {
        const isTrusted = (hop: string): boolean => /^(10\.|127\.0\.0\.1$|192\.0\.2\.|fd[0-9a-f]{2}:)/.test(hop);
        const expected = given.findLast((hop) => !isTrusted(hop)) ?? given[0];
        const at = cut % given.length;
        const lines = [given.slice(0, at), given.slice(at)].filter(({ length }) => length > 0).map((part) => part.join(", "));

        expect(proxies.clientOf(bytesOf("127.0.0.1"), lines)).to.equal(expected);
      }),
    );
  });
});

describe("trusted proxies", () => {
  it("are the addresses that Node's own block list finds in a CIDR", () => {
    const cidrs = fc.oneof(fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })), fc.tuple(ipv6, fc.integer({ min: 0, max: 128 })));
    const flip = fc.integer({ min: 0, max: 127 });

    fc.assert(
      fc.property(cidrs, flip, ([network, bits], flipped) => {
        const address = bytesOf(network).slice();
        const byte = Math.floor(flipped / 8) % address.length;
        address[byte] = (address[byte] ?? 0) ^ (1 << (flipped % 8));
        const text = canonicalAddress(address);
        fc.pre(isIPv4(text) === isIPv4(network));
        const family = isIPv4(network) ? "ipv4" : "ipv6";
        const list = new BlockList();
        list.addSubnet(network, bits, family);

        const isTrusted = new TrustedProxies([`${network}/${bits}`]).clientOf(address, ["203.0.113.77"]) === "203.0.113.77";

        expect(isTrusted).to.equal(list.check(text, family));
      }),
    );
  });

  it("name what is no CIDR and no address, all of it", () => {
    const wrong = [
      "10.0.0.0/33",
      "10.0.0/8",
      "::/129",
      "::ffff:10.0.0.0/95",
      "fe80::1%eth0",
      "10.0.0.0/8/8",
      "10.0.0.0/",
      "proxy.internal",
      "*",
    ];

    expect(() => new TrustedProxies(["10.0.0.0/8", ...wrong])).to.throw(wrong.join(", "));
  });
});
