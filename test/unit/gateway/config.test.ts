import { expect } from "chai";
import { gatewayConfig } from "../../../gateway/config.ts";
import { ConfigError, type Env } from "../../../platform/env.ts";

function problemsOf(env: Env): readonly string[] {
  try {
    gatewayConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems.map((problem) => problem.slice(0, problem.indexOf(":")));
    }
    throw error;
  }
}

describe("the gateway's configuration", () => {
  it("has the defaults of the wire contract", () => {
    expect(gatewayConfig({})).to.deep.equal({
      host: "127.0.0.1",
      port: 8080,
      adminHost: "127.0.0.1",
      adminPort: 8081,
      allowedOrigins: [],
      helloTimeoutMs: 10_000,
      pingIntervalMs: 25_000,
      drainMs: 10_000,
      maxSocketAgeMs: 86_400_000,
      accountTargets: ["127.0.0.1:9101"],
      chatTargets: ["127.0.0.1:9102"],
    });
  });

  it("names every wrong variable", () => {
    const env = { GATEWAY_PORT: "x", SALLYPORT_DEBUG: "yes", CHAT_TARGETS: "example.com:1", GATEWAY_TLS: "on", GATEWAY_DRAIN_MS: "-1" };

    expect(problemsOf(env)).to.have.members(Object.keys(env));
  });

  it("refuses a non-loopback host without TLS, and what is only for development there", () => {
    const env = { GATEWAY_HOST: "0.0.0.0", SALLYPORT_DEBUG: "on", SALLYPORT_LIMITS: "off" };

    expect(problemsOf(env)).to.deep.equal(["GATEWAY_HOST", "SALLYPORT_DEBUG", "SALLYPORT_LIMITS"]);
    expect(problemsOf({ GATEWAY_HOST: "0.0.0.0", GATEWAY_TLS: "terminated-by-proxy" })).to.deep.equal([]);
  });

  it("takes several targets, also unix sockets", () => {
    const { accountTargets } = gatewayConfig({ ACCOUNT_TARGETS: "127.0.0.1:1, unix:/tmp/a,[::1]:2" });

    expect(accountTargets).to.deep.equal(["127.0.0.1:1", "unix:/tmp/a", "[::1]:2"]);
  });

  it("refuses what is known and not supported rather than ignore it", () => {
    const env = { GATEWAY_TLS_CERT_FILE: "cert.pem", GATEWAY_TRUSTED_PROXIES: "10.0.0.0/8", INTERNAL_TLS_CA_FILE: "ca.pem" };

    expect(() => gatewayConfig(env)).to.throw(
      /GATEWAY_TLS_CERT_FILE: is not supported\n.*GATEWAY_TRUSTED_PROXIES.*\n.*INTERNAL_TLS_CA_FILE/,
    );
  });

  it("refuses one port for both listeners", () => {
    expect(() => gatewayConfig({ GATEWAY_PORT: "8081" })).to.throw("GATEWAY_ADMIN_PORT: must not be the public port");
  });
});
