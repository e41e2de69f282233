import { isIPv4, isIPv6 } from "node:net";

/** The environment of a process: names to texts. */
export type Env = Readonly<Record<string, string | undefined>>;

/** One variable: what it defaults to, what it means, how its text is read. `parse` throws an Error that says what is expected. */
export interface Variable<T> {
  /** The text that is read when the variable is unset or empty. */
  readonly default: string;
  readonly meaning: string;
  readonly parse: (text: string) => T;
}

/** A table of variables by name: the one source of defaults, checks and documentation. */
export type Variables = Readonly<Record<string, Variable<unknown>>>;

/** What a table of variables reads as. */
export type Values<V extends Variables> = { readonly [K in keyof V]: V[K] extends Variable<infer T> ? T : never };

/** The environment is wrong; the message names every wrong variable, a line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`wrong configuration:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/**
 * Reads all variables of a table, then asks `rules` for what is wrong between them, with the default in place of what cannot be read.
 * @throws ConfigError with every mistake at once.
 */
export function readVariables<V extends Variables>(
  env: Env,
  variables: V,
  rules: (values: Values<V>) => readonly string[] = () => [],
): Values<V> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(variables)) {
    try {
      values[name] = variable.parse(env[name] || variable.default);
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : "unreadable"}`);
      values[name] = variable.parse(variable.default);
    }
  }
  problems.push(...rules(values as Values<V>));
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  return values as Values<V>;
}

/** Any text. */
export function text(value: string): string {
  return value;
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max) {
      throw new Error(`expected a whole number from ${min} to ${max}`);
    }
    return number;
  };
}

/** Milliseconds, from `min` up to 100 days. */
export function milliseconds(min: number): (value: string) => number {
  return integer(min, 8_640_000_000);
}

/** `on` or `off`. */
export function onOff(value: string): boolean {
  if (value !== "on" && value !== "off") {
    throw new Error("expected on or off");
  }
  return value === "on";
}

/** One of a few words; the empty one stands for an unset variable. */
export function oneOf<const T extends string>(...words: readonly T[]): (value: string) => T {
  return (value) => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) {
      const named = words.filter((candidate) => candidate !== "");
      const some = named.length === 1 ? `${named[0]}` : `one of ${named.join(", ")}`;
      throw new Error(`expected ${some}${named.length < words.length ? " or nothing" : ""}`);
    }
    return word;
  };
}

/** A comma list; empty items are left out. */
export function list(value: string): readonly string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

// Nothing but zeros before the last digit.
const LOOPBACK_IPV6 = /^[0:]*:0{0,3}1$/;

/** Whether a host is this machine alone: one of 127.0.0.0/8, ::1 however it is written, with or without brackets, or localhost. */
export function isLoopbackHost(host: string): boolean {
  const address = withoutBrackets(host);
  return (isIPv4(address) && address.startsWith("127.")) || (isIPv6(address) && LOOPBACK_IPV6.test(address)) || host === "localhost";
}

/** An address as it is outside of URLs: those of IPv6 lose the brackets that they may have. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*:.*)\]$/, "$1");
}
