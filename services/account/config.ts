import { join } from "node:path";
import { listenAddress, mongodbUri } from "../../platform/addresses.ts";
import {
  type Env,
  isLoopbackHost,
  milliseconds,
  oneOf,
  onOff,
  readVariables,
  text,
  type Values,
  type Variable,
} from "../../platform/env.ts";

/** The variables that the account service reads, by name. */
export type AccountVariables = {
  readonly ACCOUNT_LISTEN: Variable<string>;
  readonly MONGODB_URI: Variable<string>;
  readonly SALLYPORT_DATA_DIR: Variable<string>;
  readonly SALLYPORT_KEYS_DIR: Variable<string>;
  readonly SALLYPORT_DEBUG: Variable<boolean>;
  readonly ACCOUNT_DEV_LOGIN: Variable<boolean>;
  readonly ACCOUNT_REUSE_GRACE_MS: Variable<number>;
  readonly GATEWAY_HOST: Variable<string>;
  readonly SALLYPORT_LOG_LEVEL: Variable<string>;
};

/** Their defaults, meanings and readers. */
export const accountVariables: AccountVariables = {
  ACCOUNT_LISTEN: {
    default: "127.0.0.1:9101",
    meaning: "host:port or unix:<path> that the account service's gRPC server listens on",
    parse: listenAddress,
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
  readonly mongodbUri: string;
  readonly keysDir: string;
  readonly debug: boolean;
  readonly devLogin: boolean;
  readonly reuseGraceMs: number;
  readonly logLevel: string;
}

/** Reads the account service's configuration. @throws ConfigError naming every wrong variable. */
export function accountConfig(env: Env): AccountConfig {
  const values = readVariables(env, accountVariables, refuseInPublic);
  return {
    listen: values.ACCOUNT_LISTEN,
    mongodbUri: values.MONGODB_URI,
    keysDir: values.SALLYPORT_KEYS_DIR || join(values.SALLYPORT_DATA_DIR, "keys"),
    debug: values.SALLYPORT_DEBUG,
    devLogin: values.ACCOUNT_DEV_LOGIN,
    reuseGraceMs: values.ACCOUNT_REUSE_GRACE_MS,
    logLevel: values.SALLYPORT_LOG_LEVEL,
  };
}

function refuseInPublic(values: Values<AccountVariables>): readonly string[] {
  if (isLoopbackHost(values.GATEWAY_HOST)) {
    return [];
  }
  return (["SALLYPORT_DEBUG", "ACCOUNT_DEV_LOGIN"] as const)
    .filter((name) => values[name])
    .map((name) => `${name}: on is refused while GATEWAY_HOST is not a loopback host`);
}
