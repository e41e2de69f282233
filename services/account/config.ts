import { join } from "node:path";
import { isOfThisMachine, listenAddress, mongodbUri, targetList } from "../../platform/addresses.ts";
import {
  type Env,
  isLoopbackHost,
  list,
  milliseconds,
  oneOf,
  onOff,
  readVariables,
  text,
  type Values,
  type Variable,
} from "../../platform/env.ts";
import {
  type InternalTlsFiles,
  type InternalTlsVariables,
  internalTlsFiles,
  internalTlsProblems,
  internalTlsVariables,
} from "../../platform/internal-tls.ts";
import { lostKeysVariable } from "../../platform/keys/lost-keys.ts";
import type { IdentityConfig } from "./identity/load-providers.ts";

/** The variables that the account service reads, by name. */
export type AccountVariables = {
  readonly ACCOUNT_LISTEN: Variable<string>;
  readonly CHAT_TARGETS: Variable<readonly string[]>;
  readonly MONGODB_URI: Variable<string>;
  readonly SALLYPORT_DATA_DIR: Variable<string>;
  readonly SALLYPORT_KEYS_DIR: Variable<string>;
  readonly SALLYPORT_LOST_KEYS: Variable<readonly string[]>;
  readonly SALLYPORT_DEBUG: Variable<boolean>;
  readonly ACCOUNT_DEV_LOGIN: Variable<boolean>;
  readonly ACCOUNT_REUSE_GRACE_MS: Variable<number>;
  readonly ACCOUNT_GOOGLE_CLIENT_IDS: Variable<readonly string[]>;
  readonly ACCOUNT_APPLE_CLIENT_IDS: Variable<readonly string[]>;
  readonly ACCOUNT_OIDC_PROVIDERS_FILE: Variable<string>;
  readonly GATEWAY_HOST: Variable<string>;
  readonly SALLYPORT_LOG_LEVEL: Variable<string>;
} & InternalTlsVariables;

/** Their defaults, meanings and readers. */
export const accountVariables: AccountVariables = {
  ACCOUNT_LISTEN: {
    default: "127.0.0.1:9101",
    meaning: "host:port or unix:<path> that the account service's gRPC server listens on",
    parse: listenAddress,
  },
  CHAT_TARGETS: {
    default: "127.0.0.1:9102",
    meaning: "gRPC targets of the chat service: a comma list, or one dns:///name:port",
    parse: targetList,
  },
  MONGODB_URI: {
    default: "mongodb://127.0.0.1:27017/sallyport",
    meaning: "the database; the name in it prefixes the services' own",
    parse: mongodbUri,
  },
  SALLYPORT_DATA_DIR: { default: ".sallyport", meaning: "where Sallyport keeps its files", parse: text },
  SALLYPORT_KEYS_DIR: {
    default: "",
    meaning: "the keys that all copies of the services share; unset: keys in SALLYPORT_DATA_DIR",
    parse: text,
  },
  SALLYPORT_LOST_KEYS: lostKeysVariable,
  SALLYPORT_DEBUG: {
    default: "off",
    meaning: "debug mode: an access token works without a socket and from any address; refused on a non-loopback host",
    parse: onOff,
  },
  ACCOUNT_DEV_LOGIN: { default: "off", meaning: "lets dev credentials log in; refused on a non-loopback host", parse: onOff },
  ACCOUNT_REUSE_GRACE_MS: {
    default: "10000",
    meaning:
      "how long after its retirement a refresh token is refused without being taken for stolen; below 5000, races of an honest client may be",
    parse: milliseconds(0),
  },
  ACCOUNT_GOOGLE_CLIENT_IDS: {
    default: "",
    meaning: "the client ids of your apps at Google, a comma list: lets ID tokens of the provider google log in; unset: off",
    parse: list,
  },
  ACCOUNT_APPLE_CLIENT_IDS: {
    default: "",
    meaning: "the client ids of your apps at Apple, a comma list: lets ID tokens of the provider apple log in; unset: off",
    parse: list,
  },
  ACCOUNT_OIDC_PROVIDERS_FILE: {
    default: "",
    meaning: "a JSON file that lists further OpenID Connect providers whose ID tokens log in; unset: none",
    parse: text,
  },
  ...internalTlsVariables,
  GATEWAY_HOST: { default: "127.0.0.1", meaning: "the host of the public port", parse: text },
  SALLYPORT_LOG_LEVEL: {
    default: "info",
    meaning: "the least severe log line that is written",
    parse: oneOf("fatal", "error", "warn", "info", "debug", "trace", "silent"),
  },
};

/** The configuration of one account process. */
export interface AccountConfig {
  /** `host:port` or `unix:<path>`. */
  readonly listen: string;
  readonly chatTargets: readonly string[];
  /** Undefined: plain connections, on this machine only. */
  readonly internalTls: InternalTlsFiles | undefined;
  readonly mongodbUri: string;
  readonly keysDir: string;
  /** Keys that a start does without though data needs them, `<kind>:<kid>`. */
  readonly lostKeys: readonly string[];
  readonly debug: boolean;
  readonly devLogin: boolean;
  readonly reuseGraceMs: number;
  readonly identity: IdentityConfig;
  readonly logLevel: string;
}

/** Reads the account service's configuration. @throws ConfigError naming every wrong variable. */
export function accountConfig(env: Env): AccountConfig {
  const values = readVariables(env, accountVariables, (read) => [
    ...internalTlsProblems(read, { ACCOUNT_LISTEN: read.ACCOUNT_LISTEN, CHAT_TARGETS: read.CHAT_TARGETS }),
    ...refuseInPublic(read),
  ]);
  return {
    listen: values.ACCOUNT_LISTEN,
    chatTargets: values.CHAT_TARGETS,
    internalTls: internalTlsFiles(values),
    mongodbUri: values.MONGODB_URI,
    keysDir: values.SALLYPORT_KEYS_DIR || join(values.SALLYPORT_DATA_DIR, "keys"),
    lostKeys: values.SALLYPORT_LOST_KEYS,
    debug: values.SALLYPORT_DEBUG,
    devLogin: values.ACCOUNT_DEV_LOGIN,
    reuseGraceMs: values.ACCOUNT_REUSE_GRACE_MS,
    identity: {
      googleClientIds: values.ACCOUNT_GOOGLE_CLIENT_IDS,
      appleClientIds: values.ACCOUNT_APPLE_CLIENT_IDS,
      providersFile: values.ACCOUNT_OIDC_PROVIDERS_FILE || undefined,
    },
    logLevel: values.SALLYPORT_LOG_LEVEL,
  };
}

function refuseInPublic(values: Values<AccountVariables>): readonly string[] {
  const exposed = [
    ...(isLoopbackHost(values.GATEWAY_HOST) ? [] : ["GATEWAY_HOST"]),
    ...(isOfThisMachine(values.ACCOUNT_LISTEN) ? [] : ["ACCOUNT_LISTEN"]),
  ];
  const forbidden = (["SALLYPORT_DEBUG", "ACCOUNT_DEV_LOGIN"] as const).filter((name) => values[name] && exposed.length > 0);
  return forbidden.map((name) => `${name}: on is refused while ${exposed.join(" and ")} is not of this machine alone`);
}
