import { expect } from "chai";
import { ConfigError } from "../../../../platform/env.ts";
import { chatConfig } from "../../../../services/chat/config.ts";

describe("the chat service's configuration", () => {
  it("has the defaults of the contract", () => {
    expect(chatConfig({})).to.deep.equal({
      listen: "127.0.0.1:9102",
      accountTargets: ["127.0.0.1:9101"],
      internalTls: undefined,
      mongodbUri: "mongodb://127.0.0.1:27017/sallyport",
      keysDir: ".sallyport/keys",
      debug: false,
      lingerMs: 150,
      atRest: "caesar",
      atRestKeyFile: ".sallyport/keys/at-rest.key",
      lostKeys: [],
      reportRate: { perMs: 20 / 86_400_000, burst: 20 },
    });
  });

  it("finds the keys in the data directory, or where it is told", () => {
    const moved = chatConfig({ SALLYPORT_DATA_DIR: "/data" });
    const apart = chatConfig({ SALLYPORT_DATA_DIR: "/data", SALLYPORT_KEYS_DIR: "/keys", CHAT_AT_REST_KEY_FILE: "/own.key" });

    expect([moved.keysDir, moved.atRestKeyFile]).to.deep.equal(["/data/keys", "/data/keys/at-rest.key"]);
    expect([apart.keysDir, apart.atRestKeyFile]).to.deep.equal(["/keys", "/own.key"]);
  });

  it("limits reports as it is told, or not at all", () => {
    const slower = chatConfig({ CHAT_LIMIT_REPORTS: "1/hour burst 3" });
    const unlimited = chatConfig({ CHAT_LIMIT_REPORTS: "1/hour burst 3", SALLYPORT_LIMITS: "off" });

    expect([slower.reportRate, unlimited.reportRate]).to.deep.equal([{ perMs: 1 / 3_600_000, burst: 3 }, undefined]);
  });

  it("lifts the limits for nobody beyond this machine", () => {
    const problems = ["127.0.0.1:9102", "unix:/run/chat.sock", "10.0.0.1:9102"].map((CHAT_LISTEN) =>
      problemsOf({ CHAT_LISTEN, SALLYPORT_LIMITS: "off" }).filter((problem) => problem.startsWith("SALLYPORT_LIMITS")),
    );

    expect(problems.map(({ length }) => length)).to.deep.equal([0, 0, 1]);
  });

  it("takes unix sockets and several targets", () => {
    const config = chatConfig({ CHAT_LISTEN: "unix:/run/chat.sock", ACCOUNT_TARGETS: "localhost:1, unix:/run/a.sock,[::1]:2" });

    expect(config.listen).to.equal("unix:/run/chat.sock");
    expect(config.accountTargets).to.deep.equal(["localhost:1", "unix:/run/a.sock", "[::1]:2"]);
  });

  it("names every wrong variable at once", () => {
    const env = {
      CHAT_LISTEN: "0.0.0.0:9102",
      ACCOUNT_TARGETS: "account.example:9101",
      MONGODB_URI: "http://127.0.0.1:27017/sallyport",
      CHAT_LINGER_MS: "soon",
      CHAT_AT_REST: "rot13",
      SALLYPORT_LIMITS: "maybe",
      CHAT_LIMIT_REPORTS: "often",
      SALLYPORT_LOG_LEVEL: "loud",
    };

    const problems = problemsOf(env);

    expect(problems.map((problem) => problem.split(":")[0])).to.have.members(Object.keys(env));
  });

  it("takes no address without a port", () => {
    for (const CHAT_LISTEN of ["127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "unix:", "dns:///127.0.0.1:9102", "::1:9102"]) {
      expect(problemsOf({ CHAT_LISTEN })).to.have.lengthOf(1);
    }
    expect(problemsOf({ ACCOUNT_TARGETS: "," })).to.have.lengthOf(1);
  });
});

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    chatConfig(env);
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.problems : [];
  }
}
