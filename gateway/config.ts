import { join } from "node:path";
import { listenHost, targetList } from "../platform/addresses.ts";
import {
  type Env,
  integer,
  isLoopbackHost,
  list,
  milliseconds,
  oneOf,
  onOff,
  readVariables,
  text,
  type Values,
  type Variable,
} from "../platform/env.ts";
import {
  type InternalTlsFiles,
  type InternalTlsVariables,
  internalTlsFiles,
  internalTlsProblems,
  internalTlsVariables,
} from "../platform/internal-tls.ts";
import { TrustedProxies } from "./client-address.ts";
import { type LimitRates, type LimitVariables, limitRates, limitVariables } from "./limits/rates.ts";
import type { OperatorTokenSource } from "./operator/token.ts";
import { canonicalOrigin } from "./origin.ts";
import type { CertificateFiles } from "./tls-certificate.ts";
import type { Transport } from "./transport.ts";

/** The variables that a gateway reads, by name. */
export type GatewayVariables = {
  readonly GATEWAY_HOST: Variable<string>;
  readonly GATEWAY_PORT: Variable<number>;
  readonly GATEWAY_ADMIN_HOST: Variable<string>;
  readonly GATEWAY_ADMIN_PORT: Variable<number>;
  readonly GATEWAY_OPERATOR_TOKEN_FILE: Variable<string>;
  readonly SALLYPORT_DATA_DIR: Variable<string>;
  readonly GATEWAY_TLS: Variable<"" | "terminated-by-proxy">;
  readonly GATEWAY_TLS_CERT_FILE: Variable<string>;
  readonly GATEWAY_TLS_KEY_FILE: Variable<string>;
  readonly GATEWAY_TRUSTED_PROXIES: Variable<TrustedProxies>;
  readonly GATEWAY_ALLOWED_ORIGINS: Variable<readonly string[]>;
  readonly GATEWAY_HELLO_TIMEOUT_MS: Variable<number>;
  readonly GATEWAY_PING_INTERVAL_MS: Variable<number>;
  readonly GATEWAY_DRAIN_MS: Variable<number>;
  readonly GATEWAY_MAX_SOCKET_AGE_MS: Variable<number>;
  readonly ACCOUNT_TARGETS: Variable<readonly string[]>;
  readonly CHAT_TARGETS: Variable<readonly string[]>;
  readonly SALLYPORT_DEBUG: Variable<boolean>;
  readonly SALLYPORT_LIMITS: Variable<boolean>;
  readonly SALLYPORT_LOG_LEVEL: Variable<string>;
} & InternalTlsVariables &
  LimitVariables;

/** The variables that a gateway reads. */
export const gatewayVariables: GatewayVariables = {
  GATEWAY_HOST: { default: "127.0.0.1", meaning: "address of the public HTTP and WebSocket listener", parse: listenHost },
  GATEWAY_PORT: { default: "8080", meaning: "port of the public listener; 0 is any that is free", parse: integer(0, 65_535) },
  GATEWAY_ADMIN_HOST: { default: "127.0.0.1", meaning: "address of the operator's listener", parse: listenHost },
  GATEWAY_ADMIN_PORT: { default: "8081", meaning: "port of the operator's listener; 0 is any that is free", parse: integer(0, 65_535) },
  GATEWAY_OPERATOR_TOKEN_FILE: {
    default: "",
    meaning: "the token that operators show, 32 or more characters; unset: operator-token in SALLYPORT_DATA_DIR, made at first start",
    parse: text,
  },
  SALLYPORT_DATA_DIR: { default: ".sallyport", meaning: "where Sallyport keeps its files", parse: text },
  GATEWAY_TLS: {
    default: "",
    meaning: "terminated-by-proxy: a proxy in front of a non-loopback host speaks TLS",
    parse: oneOf("", "terminated-by-proxy"),
  },
  GATEWAY_TLS_CERT_FILE: {
    default: "",
    meaning: "TLS on the public port: PEM of its certificate, with those between it and its authority; read again when it changes",
    parse: text,
  },
  GATEWAY_TLS_KEY_FILE: {
    default: "",
    meaning: "TLS on the public port: PEM of the certificate's key; read again when it changes",
    parse: text,
  },
  GATEWAY_TRUSTED_PROXIES: {
    default: "",
    meaning: "CIDRs and addresses of the proxies whose X-Forwarded-For names the client, a comma list; anyone else's is ignored",
    parse: (value) => new TrustedProxies(list(value)),
  },
  GATEWAY_ALLOWED_ORIGINS: {
    default: "",
    meaning: "browser origins admitted to /connect, a comma list; unset is the same host and port",
    parse: origins,
  },
  GATEWAY_HELLO_TIMEOUT_MS: { default: "10000", meaning: "time for each step of the token exchange", parse: milliseconds(1) },
  GATEWAY_PING_INTERVAL_MS: {
    default: "25000",
    meaning: "server pings; a socket without any frame for this long + 10 s is closed",
    parse: milliseconds(1),
  },
  GATEWAY_DRAIN_MS: { default: "10000", meaning: "the window over which a stopping gateway closes its sockets", parse: milliseconds(0) },
  GATEWAY_MAX_SOCKET_AGE_MS: {
    default: "86400000",
    meaning: "after this time, less up to a tenth at random, a socket is drained",
    parse: milliseconds(1),
  },
  ACCOUNT_TARGETS: {
    default: "127.0.0.1:9101",
    meaning: "gRPC targets of the account service: a comma list, or one dns:///name:port",
    parse: targetList,
  },
  CHAT_TARGETS: {
    default: "127.0.0.1:9102",
    meaning: "gRPC targets of the chat service: a comma list, or one dns:///name:port",
    parse: targetList,
  },
  SALLYPORT_DEBUG: { default: "off", meaning: "access tokens work without a socket, from any address", parse: onOff },
  SALLYPORT_LIMITS: { default: "on", meaning: "off lifts the rate limits; refused on a non-loopback host", parse: onOff },
  ...internalTlsVariables,
  ...limitVariables,
  SALLYPORT_LOG_LEVEL: {
    default: "info",
    meaning: "the least severe level that is logged",
    parse: oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
  },
};

/** What a gateway runs with. */
export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly operatorToken: OperatorTokenSource;
  readonly transport: Transport;
  /** Undefined: the public port speaks no TLS. */
  readonly tls: CertificateFiles | undefined;
  /** Empty: the origin must have the request's own host and port. */
  readonly allowedOrigins: readonly string[];
  readonly helloTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly drainMs: number;
  readonly maxSocketAgeMs: number;
  readonly accountTargets: readonly string[];
  readonly chatTargets: readonly string[];
  /** Undefined: plain connections, on this machine only. */
  readonly internalTls: InternalTlsFiles | undefined;
  /** Undefined: lifted. */
  readonly limits: LimitRates | undefined;
}

/** Reads the configuration of a gateway. @throws ConfigError naming every wrong variable. */
export function gatewayConfig(env: Env): GatewayConfig {
  const values = readVariables(env, gatewayVariables, rules);
  return {
    host: values.GATEWAY_HOST,
    port: values.GATEWAY_PORT,
    adminHost: values.GATEWAY_ADMIN_HOST,
    adminPort: values.GATEWAY_ADMIN_PORT,
    operatorToken: operatorTokenSource(values),
    transport: {
      isSecure: values.GATEWAY_TLS_CERT_FILE !== "" || values.GATEWAY_TLS === "terminated-by-proxy",
      trustedProxies: values.GATEWAY_TRUSTED_PROXIES,
    },
    tls: values.GATEWAY_TLS_CERT_FILE === "" ? undefined : { certFile: values.GATEWAY_TLS_CERT_FILE, keyFile: values.GATEWAY_TLS_KEY_FILE },
    allowedOrigins: values.GATEWAY_ALLOWED_ORIGINS,
    helloTimeoutMs: values.GATEWAY_HELLO_TIMEOUT_MS,
    pingIntervalMs: values.GATEWAY_PING_INTERVAL_MS,
    drainMs: values.GATEWAY_DRAIN_MS,
    maxSocketAgeMs: values.GATEWAY_MAX_SOCKET_AGE_MS,
    accountTargets: values.ACCOUNT_TARGETS,
    chatTargets: values.CHAT_TARGETS,
    internalTls: internalTlsFiles(values),
    limits: values.SALLYPORT_LIMITS ? limitRates(values) : undefined,
  };
}

function operatorTokenSource(values: Values<GatewayVariables>): OperatorTokenSource {
  const file = values.GATEWAY_OPERATOR_TOKEN_FILE;
  return file === ""
    ? { file: join(values.SALLYPORT_DATA_DIR, "operator-token"), variable: "SALLYPORT_DATA_DIR" }
    : { file, variable: "GATEWAY_OPERATOR_TOKEN_FILE" };
}

function rules(values: Values<GatewayVariables>): readonly string[] {
  const { ACCOUNT_TARGETS, CHAT_TARGETS } = values;
  const problems = [...internalTlsProblems(values, { ACCOUNT_TARGETS, CHAT_TARGETS })];
  if (values.GATEWAY_PORT !== 0 && values.GATEWAY_PORT === values.GATEWAY_ADMIN_PORT) {
    problems.push("GATEWAY_ADMIN_PORT: must not be the public port");
  }
  const { GATEWAY_TLS_CERT_FILE: certFile, GATEWAY_TLS_KEY_FILE: keyFile } = values;
  if ((certFile === "") !== (keyFile === "")) {
    const missing = certFile === "" ? "GATEWAY_TLS_CERT_FILE" : "GATEWAY_TLS_KEY_FILE";
    problems.push(`${missing}: TLS needs both files, the certificate's and its key's`);
  }
  if (isLoopbackHost(values.GATEWAY_HOST)) {
    return problems;
  }
  if (values.GATEWAY_TLS === "" && certFile === "" && keyFile === "") {
    problems.push(
      "GATEWAY_HOST: a non-loopback host needs TLS (GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE), or a proxy in front that speaks it (GATEWAY_TLS=terminated-by-proxy)",
    );
  }
  if (values.SALLYPORT_DEBUG) {
    problems.push("SALLYPORT_DEBUG: refused on a non-loopback GATEWAY_HOST");
  }
  if (!values.SALLYPORT_LIMITS) {
    problems.push("SALLYPORT_LIMITS: off is refused on a non-loopback GATEWAY_HOST");
  }
  return problems;
}

function origins(value: string): readonly string[] {
  const given = list(value);
  const wrong = given.filter((origin) => canonicalOrigin(origin) === undefined);
  if (wrong.length > 0) {
    throw new Error(`expected origins such as https://chat.example, not ${wrong.join(", ")}`);
  }
  return given;
}
