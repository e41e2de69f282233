import { targetList } from "../platform/addresses.ts";
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

/** The variables that a gateway reads, by name. */
export type GatewayVariables = {
  readonly GATEWAY_HOST: Variable<string>;
  readonly GATEWAY_PORT: Variable<number>;
  readonly GATEWAY_ADMIN_HOST: Variable<string>;
  readonly GATEWAY_ADMIN_PORT: Variable<number>;
  readonly GATEWAY_TLS: Variable<"" | "terminated-by-proxy">;
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
} & Readonly<Record<UnsupportedName, Variable<string>>>;

/** Known, and refused when set: whoever sets them counts on something that is not there. */
const UNSUPPORTED = [
  ["GATEWAY_TLS_CERT_FILE", "TLS on the public port"],
  ["GATEWAY_TLS_KEY_FILE", "TLS on the public port"],
  ["GATEWAY_TRUSTED_PROXIES", "clients' addresses from X-Forwarded-For"],
  ["GATEWAY_OPERATOR_TOKEN_FILE", "operator calls"],
  ["INTERNAL_TLS_CA_FILE", "mutual TLS between the processes"],
  ["INTERNAL_TLS_CERT_FILE", "mutual TLS between the processes"],
  ["INTERNAL_TLS_KEY_FILE", "mutual TLS between the processes"],
] as const;

type UnsupportedName = (typeof UNSUPPORTED)[number][0];

const UNSUPPORTED_VARIABLES = Object.fromEntries(
  UNSUPPORTED.map(([name, what]) => [name, { default: "", meaning: `${what}: not supported, refused when set`, parse: refuse }]),
) as Readonly<Record<UnsupportedName, Variable<string>>>;

/** The variables that a gateway reads. */
export const gatewayVariables: GatewayVariables = {
  GATEWAY_HOST: { default: "127.0.0.1", meaning: "address of the public HTTP and WebSocket listener", parse: text },
  GATEWAY_PORT: { default: "8080", meaning: "port of the public listener; 0 is any that is free", parse: integer(0, 65_535) },
  GATEWAY_ADMIN_HOST: { default: "127.0.0.1", meaning: "address of the operator's listener", parse: text },
  GATEWAY_ADMIN_PORT: { default: "8081", meaning: "port of the operator's listener; 0 is any that is free", parse: integer(0, 65_535) },
  GATEWAY_TLS: {
    default: "",
    meaning: "terminated-by-proxy: a proxy in front of a non-loopback host speaks TLS",
    parse: oneOf("", "terminated-by-proxy"),
  },
  GATEWAY_ALLOWED_ORIGINS: {
    default: "",
    meaning: "browser origins admitted to /connect, a comma list; unset is the same host and port",
    parse: list,
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
  ACCOUNT_TARGETS: { default: "127.0.0.1:9101", meaning: "gRPC targets of the account service, a comma list", parse: targetList },
  CHAT_TARGETS: { default: "127.0.0.1:9102", meaning: "gRPC targets of the chat service, a comma list", parse: targetList },
  SALLYPORT_DEBUG: { default: "off", meaning: "access tokens work without a socket, from any address", parse: onOff },
  SALLYPORT_LIMITS: { default: "on", meaning: "off lifts the rate limits, of which none is enforced", parse: onOff },
  ...UNSUPPORTED_VARIABLES,
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
  /** Empty: the origin must have the request's own host and port. */
  readonly allowedOrigins: readonly string[];
  readonly helloTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly drainMs: number;
  readonly maxSocketAgeMs: number;
  readonly accountTargets: readonly string[];
  readonly chatTargets: readonly string[];
}

/** Reads the configuration of a gateway. @throws ConfigError naming every wrong variable. */
export function gatewayConfig(env: Env): GatewayConfig {
  const values = readVariables(env, gatewayVariables, rules);
  return {
    host: values.GATEWAY_HOST,
    port: values.GATEWAY_PORT,
    adminHost: values.GATEWAY_ADMIN_HOST,
    adminPort: values.GATEWAY_ADMIN_PORT,
    allowedOrigins: values.GATEWAY_ALLOWED_ORIGINS,
    helloTimeoutMs: values.GATEWAY_HELLO_TIMEOUT_MS,
    pingIntervalMs: values.GATEWAY_PING_INTERVAL_MS,
    drainMs: values.GATEWAY_DRAIN_MS,
    maxSocketAgeMs: values.GATEWAY_MAX_SOCKET_AGE_MS,
    accountTargets: values.ACCOUNT_TARGETS,
    chatTargets: values.CHAT_TARGETS,
  };
}

function rules(values: Values<GatewayVariables>): readonly string[] {
  const problems: string[] = [];
  if (values.GATEWAY_PORT !== 0 && values.GATEWAY_PORT === values.GATEWAY_ADMIN_PORT) {
    problems.push("GATEWAY_ADMIN_PORT: must not be the public port");
  }
  if (isLoopbackHost(values.GATEWAY_HOST)) {
    return problems;
  }
  if (values.GATEWAY_TLS === "") {
    problems.push("GATEWAY_HOST: a non-loopback host needs TLS in front of it (GATEWAY_TLS=terminated-by-proxy)");
  }
  if (values.SALLYPORT_DEBUG) {
    problems.push("SALLYPORT_DEBUG: refused on a non-loopback GATEWAY_HOST");
  }
  if (!values.SALLYPORT_LIMITS) {
    problems.push("SALLYPORT_LIMITS: off is refused on a non-loopback GATEWAY_HOST");
  }
  return problems;
}

function refuse(value: string): string {
  if (value !== "") {
    throw new Error("is not supported");
  }
  return value;
}
