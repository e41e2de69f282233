import { expect } from "chai";
import { checkAcrossRoles, childEnvironment } from "../../../../bin/launcher/child-environment.ts";
import { ConfigError, type Env } from "../../../../platform/env.ts";

describe("the environment of the launcher's children", () => {
  it("tells them where the database, the keys and each other are", () => {
    expect(environmentFor({})).to.deep.equal({
      MONGODB_URI: "mongodb://127.0.0.1:4000/sallyport",
      ACCOUNT_LISTEN: "unix:/data/run/account.sock",
      ACCOUNT_TARGETS: "unix:/data/run/account.sock",
      CHAT_LISTEN: "unix:/data/run/chat.sock",
      CHAT_TARGETS: "unix:/data/run/chat.sock",
      SALLYPORT_DATA_DIR: "/data",
      SALLYPORT_KEYS_DIR: "/data/keys",
      ACCOUNT_DEV_LOGIN: "on",
      SALLYPORT_PARENT: "pipe",
    });
  });

  it("passes everything else on", () => {
    expect(environmentFor({ PATH: "/bin", CHAT_LINGER_MS: "1" })).to.include({ PATH: "/bin", CHAT_LINGER_MS: "1" });
  });

  it("aims at the address that a service is told to listen on", () => {
    expect(environmentFor({ CHAT_LISTEN: "127.0.0.1:9001" })).to.include({
      CHAT_LISTEN: "127.0.0.1:9001",
      CHAT_TARGETS: "127.0.0.1:9001",
    });
    expect(environmentFor({ ACCOUNT_LISTEN: "0.0.0.0:9001", CHAT_LISTEN: "[::]:9002" })).to.include({
      ACCOUNT_TARGETS: "localhost:9001",
      CHAT_TARGETS: "localhost:9002",
    });
  });

  it("allows dev logins by default only where nobody else reaches the gateway or the account service", () => {
    expect(environmentFor({ ACCOUNT_DEV_LOGIN: "off" })).to.include({ ACCOUNT_DEV_LOGIN: "off" });
    expect(environmentFor({ GATEWAY_HOST: "::1" })).to.include({ ACCOUNT_DEV_LOGIN: "on" });
    expect(environmentFor({ GATEWAY_HOST: "0.0.0.0" })).to.include({ ACCOUNT_DEV_LOGIN: "off" });
    expect(environmentFor({ ACCOUNT_LISTEN: "192.0.2.1:9101" })).to.include({ ACCOUNT_DEV_LOGIN: "off" });
  });
});

describe("settings for development", () => {
  const development: Env = { SALLYPORT_DEBUG: "on", ACCOUNT_DEV_LOGIN: "on", SALLYPORT_LIMITS: "off" };

  it("are accepted on the loopback interface", () => {
    checkAcrossRoles(development);
    checkAcrossRoles({ ...development, GATEWAY_HOST: "localhost" });
  });

  it("are refused, all of them by name, where others reach the gateway", () => {
    const check = (): void => checkAcrossRoles({ ...development, GATEWAY_HOST: "192.0.2.1" });

    expect(check).to.throw(ConfigError, /SALLYPORT_DEBUG: .*\n.*ACCOUNT_DEV_LOGIN: .*\n.*SALLYPORT_LIMITS: /);
  });
});

function environmentFor(env: Env): Env {
  const config = { dataDirectory: "/data", keysDirectory: "/data/keys", mongodbUri: undefined };
  return childEnvironment(env, config, { databaseUri: "mongodb://127.0.0.1:4000/sallyport", socketDirectory: "/data/run" });
}
