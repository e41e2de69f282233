import { join } from "node:path";
import { isOfThisMachine, listenAddress, mongodbUri, targetList } from "../../platform/addresses.ts";
import { type Env, isLoopbackHost, milliseconds, oneOf, onOff, readVariables, text, type Variable } from "../../platform/env.ts";
import {
  type InternalTlsFiles,
  type InternalTlsVariables,
  internalTlsFiles,
  internalTlsProblems,
  internalTlsVariables,
} from "../../platform/internal-tls.ts";
import { lostKeysVariable } from "../../platform/keys/lost-keys.ts";
import { parseRate, type Rate } from "../../platform/rate.ts";
import type { Scheme } from "./at-rest/sealer.ts";

/** How one chat process is set up. */
export interface ChatConfig {
  /** `host:port` or `unix:<path>`. */
  readonly listen: string;
  readonly accountTargets: readonly string[];
  /** Undefined: plain connections, on this machine only. */
  readonly internalTls: InternalTlsFiles | undefined;
  readonly mongodbUri: string;
  readonly keysDir: string;
  /** Whether the server says what it offers. */
  readonly debug: boolean;
  /** How long a message to an attached recipient waits for its acknowledgement before it is stored. */
  readonly lingerMs: number;
  readonly atRest: Scheme;
  readonly atRestKeyFile: string;
  /** Keys that a start does without though data needs them, `<kind>:<kid>`. */
  readonly lostKeys: readonly string[];
  /** How often an account may report. Undefined: as often as it likes. */
  readonly reportRate: Rate | undefined;
}

/** The variables that a chat process reads. */
export const chatVariables: {
  readonly CHAT_LISTEN: Variable<string>;
  readonly ACCOUNT_TARGETS: Variable<readonly string[]>;
  readonly MONGODB_URI: Variable<string>;
  readonly SALLYPORT_DATA_DIR: Variable<string>;
  readonly SALLYPORT_KEYS_DIR: Variable<string>;
  readonly SALLYPORT_LOST_KEYS: Variable<readonly string[]>;
  readonly CHAT_LINGER_MS: Variable<number>;
  readonly CHAT_AT_REST: Variable<Scheme>;
  readonly CHAT_AT_REST_KEY_FILE: Variable<string>;
  readonly SALLYPORT_LIMITS: Variable<boolean>;
  readonly CHAT_LIMIT_REPORTS: Variable<Rate>;
  readonly SALLYPORT_DEBUG: Variable<boolean>;
  readonly GATEWAY_HOST: Variable<string>;
  readonly SALLYPORT_LOG_LEVEL: Variable<string>;
} & InternalTlsVariables = {
  CHAT_LISTEN: { default: "127.0.0.1:9102", meaning: "where the chat service listens: host:port or unix:<path>", parse: listenAddress },
  ACCOUNT_TARGETS: {
    default: "127.0.0.1:9101",
    meaning: "gRPC targets of the account service: a comma list, or one dns:///name:port",
    parse: targetList,
  },
  ...internalTlsVariables,
  MONGODB_URI: {
    default: "mongodb://127.0.0.1:27017/sallyport",
    meaning: "the database; the name in it prefixes the services' own",
    parse: mongodbUri,
  },
  SALLYPORT_DATA_DIR: { default: ".sallyport", meaning: "where keys and the embedded database live", parse: text },
  SALLYPORT_KEYS_DIR: { default: "", meaning: "the keys that all copies share; default: keys in the data directory", parse: text },
  SALLYPORT_LOST_KEYS: lostKeysVariable,
  CHAT_LINGER_MS: {
    default: "150",
    meaning: "milliseconds that a message to an attached recipient waits for its acknowledgement before it is stored",
    parse: milliseconds(0),
  },
  CHAT_AT_REST: {
    default: "caesar",
    meaning: "how a waiting body is enciphered: caesar or aes-256-gcm",
    parse: oneOf("caesar", "aes-256-gcm"),
  },
  CHAT_AT_REST_KEY_FILE: {
    default: "",
    meaning: "base64 of the 32 bytes that encipher with aes-256-gcm; default: at-rest.key in the keys directory",
    parse: text,
  },
  SALLYPORT_LIMITS: { default: "on", meaning: "off lifts the rate limits; refused on a non-loopback host", parse: onOff },
  CHAT_LIMIT_REPORTS: {
    default: "20/day burst 20",
    meaning: "how often an account may report messages, counted over all copies",
    parse: parseRate,
  },
  SALLYPORT_DEBUG: { default: "off", meaning: "debug mode: the server says what it offers; refused on a non-loopback host", parse: onOff },
  GATEWAY_HOST: { default: "127.0.0.1", meaning: "the host of the public port", parse: text },
  SALLYPORT_LOG_LEVEL: {
    default: "info",
    meaning: "what is logged",
    parse: oneOf("fatal", "error", "warn", "info", "debug", "trace", "silent"),
  },
};

/** Reads the configuration of a chat process. @throws ConfigError naming every wrong variable. */
export function chatConfig(env: Env): ChatConfig {
  const values = readVariables(env, chatVariables, (read) => {
    const { CHAT_LISTEN, ACCOUNT_TARGETS, SALLYPORT_LIMITS } = read;
    const isExposed = !isOfThisMachine(CHAT_LISTEN) || !isLoopbackHost(read.GATEWAY_HOST);
    const forbidden = [...(SALLYPORT_LIMITS ? [] : ["SALLYPORT_LIMITS: off"]), ...(read.SALLYPORT_DEBUG ? ["SALLYPORT_DEBUG: on"] : [])];
    const problems = isExposed
      ? forbidden.map((what) => `${what} is refused while CHAT_LISTEN or GATEWAY_HOST is not of this machine alone`)
      : [];
    return [...problems, ...internalTlsProblems(read, { CHAT_LISTEN, ACCOUNT_TARGETS })];
  });
  const keysDir = values.SALLYPORT_KEYS_DIR || join(values.SALLYPORT_DATA_DIR, "keys");
  return {
    listen: values.CHAT_LISTEN,
    accountTargets: values.ACCOUNT_TARGETS,
    internalTls: internalTlsFiles(values),
    mongodbUri: values.MONGODB_URI,
    keysDir,
    lingerMs: values.CHAT_LINGER_MS,
    atRest: values.CHAT_AT_REST,
    atRestKeyFile: values.CHAT_AT_REST_KEY_FILE || join(keysDir, "at-rest.key"),
    debug: values.SALLYPORT_DEBUG,
    lostKeys: values.SALLYPORT_LOST_KEYS,
    reportRate: values.SALLYPORT_LIMITS ? values.CHAT_LIMIT_REPORTS : undefined,
  };
}
