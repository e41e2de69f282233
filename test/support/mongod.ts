import { randomBytes } from "node:crypto";

/** The URI of a database of its own on the run's MongoDB server, which `hooks.ts` starts before the first test. */
export function freshDatabaseUri(): string {
  const server = process.env["SALLYPORT_TEST_MONGODB_URI"];
  if (server === undefined) {
    throw new Error("no MongoDB server: run the tests through mocha with this project's configuration");
  }
  return server.replace(/\/[^/?]*(\?|$)/, `/test_${randomBytes(6).toString("hex")}$1`);
}
