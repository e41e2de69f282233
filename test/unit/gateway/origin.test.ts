import { expect } from "chai";
import { canonicalOrigin, isOriginAllowed } from "../../../gateway/origin.ts";

describe("the origin of a socket", () => {
  for (const [origin, host, allowed, isAllowed] of [
    [undefined, "a:8080", [], true],
    ["http://a:8080", "a:8080", [], true],
    ["http://A:8080", "a:8080", [], true],
    ["http://a", "a:80", [], true],
    ["https://a", "a:443", [], true],
    ["https://a", "a", [], true],
    ["http://a:8081", "a:8080", [], false],
    ["http://b:8080", "a:8080", [], false],
    ["null", "a:8080", [], false],
    ["", "a:8080", [], false],
    ["http://a:8080 http://a:8080", "a:8080", [], false],
    ["file:///x", "", [], false],
    ["https://app.example", "a:8080", ["https://app.example"], true],
    ["http://app.example", "a:8080", ["https://app.example"], false],
    ["http://a:8080", "a:8080", ["https://app.example"], false],
    ["null", "a:8080", ["null", "https://app.example"], false],
    ["https://app.example:443", "a", ["HTTPS://App.Example/"], true],
    ["https://app.example.evil.example", "a", ["https://app.example"], false],
    ["https://sub.app.example", "a", ["https://app.example"], false],
    ["capacitor://localhost", "a", ["capacitor://localhost"], true],
    ["capacitor://localhost", "localhost", [], false],
    ["http://localhost", "a", ["capacitor://localhost"], false],
    ["https://a@b", "b", [], false],
    ["https://a/path", "a", [], false],
    ["http://[::1]:8080", "[::1]:8080", [], true],
    ["http://a", "", [], false],
    ["https://a", "a:80", [], false],
  ] as const) {
    it(`${origin ?? "(none)"} on ${host} with ${allowed.length ? allowed.join() : "no list"} is ${isAllowed ? "admitted" : "refused"}`, () => {
      expect(isOriginAllowed(origin, host, allowed)).to.equal(isAllowed);
    });
  }

  for (const [origin, host, isAllowed] of [
    [undefined, "a", true],
    ["https://a", "a", true],
    ["https://a", "a:443", true],
    ["https://a:443", "a", true],
    ["https://a:8443", "a:8443", true],
    ["https://a:8443", "a", false],
    ["http://a", "a", false],
    ["http://a:443", "a", false],
    ["http://a:8443", "a:8443", false],
  ] as const) {
    it(`${origin ?? "(none)"} on ${host} of a listener with TLS is ${isAllowed ? "admitted" : "refused"}`, () => {
      expect(isOriginAllowed(origin, host, [], true)).to.equal(isAllowed);
    });
  }

  it("is none where a list would hold a wildcard, a path, credentials or several", () => {
    const texts = [
      "*",
      "https://*.example",
      "app.example",
      "https://a/b",
      "https://a?b",
      "https://a@b",
      "https://a https://b",
      "null",
      "",
      "file:///",
    ];

    expect(texts.map(canonicalOrigin)).to.deep.equal(texts.map(() => undefined));
  });
});
