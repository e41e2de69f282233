import { expect } from "chai";
import { ConfigError } from "../../../../platform/env.ts";
import { accountConfig } from "../../../../services/account/config.ts";

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    accountConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems;
    }
    throw error;
  }
}

describe("the account service's configuration", () => {
  it("has a default for everything", () => {
    expect(accountConfig({})).to.deep.equal({
      listen: "127.0.0.1:9101",
      chatTargets: ["127.0.0.1:9102"],
      internalTls: undefined,
      mongodbUri: "mongodb://127.0.0.1:27017/sallyport",
      keysDir: ".sallyport/keys",
      lostKeys: [],
      debug: false,
      devLogin: false,
      reuseGraceMs: 10_000,
      identity: { googleClientIds: [], appleClientIds: [], providersFile: undefined },
      logLevel: "info",
    });
  });

  it("keeps the keys in the data directory, unless they have their own", () => {
    expect(accountConfig({ SALLYPORT_DATA_DIR: "/data" }).keysDir).to.equal("/data/keys");
    expect(accountConfig({ SALLYPORT_DATA_DIR: "/data", SALLYPORT_KEYS_DIR: "/keys" }).keysDir).to.equal("/keys");
  });

  it("takes a grace of 0 and a unix socket", () => {
    expect(accountConfig({ ACCOUNT_REUSE_GRACE_MS: "0", ACCOUNT_LISTEN: "unix:/run/account" })).to.include({
      reuseGraceMs: 0,
      listen: "unix:/run/account",
    });
  });

  it("names every wrong variable", () => {
    const problems = problemsOf({
      ACCOUNT_LISTEN: "nowhere",
      MONGODB_URI: "http://x",
      SALLYPORT_DEBUG: "yes",
      ACCOUNT_REUSE_GRACE_MS: "-1",
    });

    expect(problems.map((problem) => problem.split(":")[0])).to.have.members([
      "ACCOUNT_LISTEN",
      "MONGODB_URI",
      "SALLYPORT_DEBUG",
      "ACCOUNT_REUSE_GRACE_MS",
    ]);
  });

  it("refuses debug mode and dev login on a public host, and names both", () => {
    const problems = problemsOf({ GATEWAY_HOST: "0.0.0.0", SALLYPORT_DEBUG: "on", ACCOUNT_DEV_LOGIN: "on" });

    expect(problems.map((problem) => problem.split(":")[0])).to.deep.equal(["SALLYPORT_DEBUG", "ACCOUNT_DEV_LOGIN"]);
    expect(problemsOf({ GATEWAY_HOST: "0.0.0.0" })).to.deep.equal([]);
    expect(problemsOf({ ACCOUNT_LISTEN: "192.0.2.1:9101", ACCOUNT_DEV_LOGIN: "on" }).join("\n")).to.contain("ACCOUNT_DEV_LOGIN");
    expect(problemsOf({ GATEWAY_HOST: "::1", SALLYPORT_DEBUG: "on" })).to.deep.equal([]);
  });

  it("refuses to listen where other machines could connect without mutual TLS, and says why", () => {
    const tls = { INTERNAL_TLS_CA_FILE: "ca.pem", INTERNAL_TLS_CERT_FILE: "cert.pem", INTERNAL_TLS_KEY_FILE: "key.pem" };

    expect(problemsOf({ ACCOUNT_LISTEN: "0.0.0.0:9101" })[0]).to.match(/^ACCOUNT_LISTEN: .*mutual TLS/);
    expect(problemsOf({ ACCOUNT_LISTEN: "[::1]:9101" })).to.deep.equal([]);
    expect(problemsOf({ ACCOUNT_LISTEN: "0.0.0.0:9101", CHAT_TARGETS: "chat.example:9102", ...tls })).to.deep.equal([]);
  });
});
