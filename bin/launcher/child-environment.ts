import { join } from "node:path";
import { isOfThisMachine } from "../../platform/addresses.ts";
import { ConfigError, type Env, isLoopbackHost } from "../../platform/env.ts";
import { PARENT_VARIABLE } from "../parent.ts";
import type { LauncherConfig } from "./config.ts";
import type { Role } from "./role.ts";

/** What the launcher decides for its children besides the configuration. */
export interface Surroundings {
  readonly databaseUri: string;
  readonly socketDirectory: string;
}

/** The unix socket that a service listens on unless the environment says otherwise. */
export function socketPath(directory: string, role: Role): string {
  return join(directory, `${role}.sock`);
}

/**
 * The environment of the children: the launcher's own, with everything filled in that they need to find each other, the database and the keys.
 * `dev` logins are on unless the environment says otherwise or more than this machine can reach the gateway or the account service, where they are forbidden.
 */
export function childEnvironment(env: Env, config: LauncherConfig, { databaseUri, socketDirectory }: Surroundings): Env {
  const accountListen = env["ACCOUNT_LISTEN"] || `unix:${socketPath(socketDirectory, "account")}`;
  const chatListen = env["CHAT_LISTEN"] || `unix:${socketPath(socketDirectory, "chat")}`;
  return {
    ...env,
    MONGODB_URI: databaseUri,
    ACCOUNT_LISTEN: accountListen,
    ACCOUNT_TARGETS: env["ACCOUNT_TARGETS"] || targetOf(accountListen),
    CHAT_LISTEN: chatListen,
    CHAT_TARGETS: env["CHAT_TARGETS"] || targetOf(chatListen),
    SALLYPORT_DATA_DIR: config.dataDirectory,
    SALLYPORT_KEYS_DIR: config.keysDirectory,
    ACCOUNT_DEV_LOGIN: env["ACCOUNT_DEV_LOGIN"] || (isLoopbackHost(gatewayHost(env)) && isOfThisMachine(accountListen) ? "on" : "off"),
    [PARENT_VARIABLE]: "pipe",
  };
}

/** Which variables `childEnvironment` fills in from which others, for an environment. */
export function derivedVariables(env: Env): Readonly<Record<string, string>> {
  const sources = { ACCOUNT_TARGETS: "ACCOUNT_LISTEN", CHAT_TARGETS: "CHAT_LISTEN" };
  return Object.fromEntries(Object.entries(sources).filter(([name]) => !env[name]));
}

/**
 * Checks what no role alone can see: settings for development are refused where others than this machine reach the gateway.
 * @throws ConfigError naming every variable that is set so.
 */
export function checkAcrossRoles(env: Env): void {
  const host = gatewayHost(env);
  const forbidden = { SALLYPORT_DEBUG: "on", ACCOUNT_DEV_LOGIN: "on", SALLYPORT_LIMITS: "off" };
  const problems = Object.entries(forbidden)
    .filter(([name, value]) => env[name] === value && !isLoopbackHost(host))
    .map(([name, value]) => `${name}: ${value} is refused with the non-loopback GATEWAY_HOST ${host}`);
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
}

/** Where this machine finds a server that listens on an address, or on all of its addresses. */
function targetOf(listen: string): string {
  return listen.replace(/^(0\.0\.0\.0|\[::\]):/, "localhost:");
}

function gatewayHost(env: Env): string {
  return env["GATEWAY_HOST"] || "127.0.0.1";
}
