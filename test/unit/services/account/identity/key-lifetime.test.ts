import { expect } from "chai";
import {
  DEFAULT_LIFETIME_MS,
  lifetimeOf,
  MAX_LIFETIME_MS,
  MIN_LIFETIME_MS,
} from "../../../../../services/account/identity/key-lifetime.ts";

const DATE = "Fri, 31 Jul 2026 12:00:00 GMT";
const LATER = "Fri, 31 Jul 2026 12:10:00 GMT";

const LIFETIMES: readonly [what: string, headers: Record<string, string>, ms: number][] = [
  ["stated by max-age", { "cache-control": "public, max-age=22535, must-revalidate" }, 22_535_000],
  ["stated in capitals and quotes", { "cache-control": 'Public,Max-Age="600"' }, 600_000],
  ["less its age", { "cache-control": "max-age=600", age: "100" }, 500_000],
  ["stated by Expires", { date: DATE, expires: LATER }, 600_000],
  ["stated by both, of which max-age counts", { "cache-control": "max-age=300", date: DATE, expires: LATER }, 300_000],
  ["that is too short", { "cache-control": "max-age=0" }, MIN_LIFETIME_MS],
  ["that is over", { "cache-control": "max-age=600", age: "700" }, MIN_LIFETIME_MS],
  ["that is too long", { "cache-control": "max-age=31536000" }, MAX_LIFETIME_MS],
  ["that is not to be kept", { "cache-control": "no-store, max-age=600" }, MIN_LIFETIME_MS],
  ["that is to be asked for each time", { "cache-control": "no-cache" }, MIN_LIFETIME_MS],
  ["whose expiry cannot be read", { date: DATE, expires: "0" }, MIN_LIFETIME_MS],
  ["whose max-age cannot be read", { "cache-control": "max-age=soon" }, DEFAULT_LIFETIME_MS],
  ["that nothing is said of", {}, DEFAULT_LIFETIME_MS],
];

describe("the lifetime of keys", () => {
  for (const [what, headers, ms] of LIFETIMES) {
    it(`${what} is ${ms / 1000} s`, () => {
      expect(lifetimeOf(new Headers(headers))).to.equal(ms);
    });
  }
});
