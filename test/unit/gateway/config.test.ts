import { join } from "node:path";
import { expect } from "chai";
import { gatewayConfig } from "../../../gateway/config.ts";
import { DIRECT } from "../../../gateway/transport.ts";
import { ConfigError, type Env } from "../../../platform/env.ts";
import { parseRate } from "../../../platform/rate.ts";

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
      transport: DIRECT,
      tls: undefined,
      operatorToken: { file: join(".sallyport", "operator-token"), variable: "SALLYPORT_DATA_DIR" },
      allowedOrigins: [],
      helloTimeoutMs: 10_000,
      pingIntervalMs: 25_000,
      drainMs: 10_000,
      maxSocketAgeMs: 86_400_000,
      accountTargets: ["127.0.0.1:9101"],
      chatTargets: ["127.0.0.1:9102"],
      internalTls: undefined,
      limits: {
        logins: parseRate("10/minute burst 20"),
        allLogins: parseRate("500/second burst 10000"),
        sockets: parseRate("60/minute burst 120"),
        allSockets: parseRate("5000/second burst 100000"),
        refusedExchanges: parseRate("10/minute burst 20"),
        allRefusedExchanges: parseRate("1000/second burst 20000"),
        anonymousBytes: parseRate("1048576/second burst 33554432"),
        bytes: parseRate("8388608/second burst 268435456"),
        messages: parseRate("20/second burst 100"),
        calls: parseRate("50/second burst 200"),
        reports: parseRate("10/minute burst 40"),
        frames: parseRate("2000/second burst 20000"),
      },
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

  it("takes a certificate with its key on any host, and neither without the other", () => {
    const tls = { GATEWAY_TLS_CERT_FILE: "cert.pem", GATEWAY_TLS_KEY_FILE: "key.pem" };

    const config = gatewayConfig({ GATEWAY_HOST: "0.0.0.0", ...tls });

    expect([config.tls, config.transport.isSecure]).to.deep.equal([{ certFile: "cert.pem", keyFile: "key.pem" }, true]);
    expect(problemsOf({ GATEWAY_TLS_CERT_FILE: "cert.pem" })).to.deep.equal(["GATEWAY_TLS_KEY_FILE"]);
    expect(problemsOf({ GATEWAY_TLS_KEY_FILE: "key.pem" })).to.deep.equal(["GATEWAY_TLS_CERT_FILE"]);
  });

  it("counts TLS that a proxy speaks as TLS", () => {
    const { tls, transport } = gatewayConfig({ GATEWAY_TLS: "terminated-by-proxy" });

    expect([tls, transport.isSecure]).to.deep.equal([undefined, true]);
  });

  it("names the CIDRs of proxies and the origins that it cannot read", () => {
    const env = { GATEWAY_TRUSTED_PROXIES: "10.0.0.0/8, proxy", GATEWAY_ALLOWED_ORIGINS: "https://a.example,*,b.example" };

    expect(() => gatewayConfig(env)).to.throw(
      /GATEWAY_TRUSTED_PROXIES: expected CIDRs or addresses, not proxy\n.*GATEWAY_ALLOWED_ORIGINS: .*, not \*, b.example$/,
    );
  });

  it("takes several targets, also unix sockets", () => {
    const { accountTargets } = gatewayConfig({ ACCOUNT_TARGETS: "127.0.0.1:1, unix:/tmp/a,[::1]:2" });

    expect(accountTargets).to.deep.equal(["127.0.0.1:1", "unix:/tmp/a", "[::1]:2"]);
  });

  it("has no limits where SALLYPORT_LIMITS lifts them", () => {
    expect(gatewayConfig({ SALLYPORT_LIMITS: "off", GATEWAY_LIMIT_LOGINS: "1/day burst 1" }).limits).to.equal(undefined);
  });

  it("sets each limit by its own variable", () => {
    const { limits } = gatewayConfig({ GATEWAY_LIMIT_ALL_LOGINS: "7/hour burst 3" });

    expect(limits?.allLogins).to.deep.equal(parseRate("7/hour burst 3"));
    expect(limits?.logins).to.deep.equal(parseRate("10/minute burst 20"));
  });

  it("takes the operator token from a file that is named, else from the data directory", () => {
    const env = { SALLYPORT_DATA_DIR: "/data" };

    expect(gatewayConfig(env).operatorToken).to.deep.equal({ file: "/data/operator-token", variable: "SALLYPORT_DATA_DIR" });
    expect(gatewayConfig({ ...env, GATEWAY_OPERATOR_TOKEN_FILE: "/run/token" }).operatorToken).to.deep.equal({
      ...{ file: "/run/token", variable: "GATEWAY_OPERATOR_TOKEN_FILE" },
    });
  });

  it("takes targets on other machines with mutual TLS only", () => {
    const targets = { ACCOUNT_TARGETS: "account.example:9101", CHAT_TARGETS: "dns:///chat.example:9102" };
    const tls = { INTERNAL_TLS_CA_FILE: "ca.pem", INTERNAL_TLS_CERT_FILE: "cert.pem", INTERNAL_TLS_KEY_FILE: "key.pem" };

    expect(problemsOf(targets)).to.deep.equal(["ACCOUNT_TARGETS", "CHAT_TARGETS"]);
    expect(problemsOf({ ...targets, ...tls, INTERNAL_TLS_KEY_FILE: "" })).to.deep.equal(["INTERNAL_TLS_KEY_FILE"]);
    expect(gatewayConfig({ ...targets, ...tls }).internalTls).to.deep.equal({ caFile: "ca.pem", certFile: "cert.pem", keyFile: "key.pem" });
  });

  it("takes hosts that are addresses or names, and names the variable of any other", () => {
    const hosts = ["127.0.0.999", "not a host", "http://localhost", "127.0.0.1:8080", "[127.0.0.1]", "fe80::1%eth0", "-a", "a..b"];

    for (const wrong of hosts) {
      expect(problemsOf({ GATEWAY_HOST: wrong, GATEWAY_ADMIN_HOST: wrong }), wrong).to.deep.equal(["GATEWAY_HOST", "GATEWAY_ADMIN_HOST"]);
    }
    expect(gatewayConfig({ GATEWAY_HOST: "[::1]", GATEWAY_ADMIN_HOST: "gateway_1.local" })).to.include({
      ...{ host: "::1", adminHost: "gateway_1.local" },
    });
  });

  it("says which TLS it knows when GATEWAY_TLS names another", () => {
    expect(() => gatewayConfig({ GATEWAY_TLS: "x" })).to.throw(/GATEWAY_TLS: expected terminated-by-proxy or nothing$/);
  });

  it("refuses one port for both listeners", () => {
    expect(() => gatewayConfig({ GATEWAY_PORT: "8081" })).to.throw("GATEWAY_ADMIN_PORT: must not be the public port");
  });
});
