import { expect } from "chai";
import { isOriginAllowed } from "../../../gateway/origin.ts";

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
  ] as const) {
    it(`${origin ?? "(none)"} on ${host} with ${allowed.length ? allowed.join() : "no list"} is ${isAllowed ? "admitted" : "refused"}`, () => {
      expect(isOriginAllowed(origin, host, allowed)).to.equal(isAllowed);
    });
  }
});
