import { isProviderUrl, PROVIDER_URL } from "./provider-url.ts";
import { ALGORITHMS, NONCE_FORMS, type ProviderSettings } from "./settings.ts";

/** What a list of providers reads as, and everything that is wrong with it. */
export interface ProviderList {
  readonly providers: readonly ProviderSettings[];
  readonly problems: readonly string[];
}

type Entry = Readonly<Record<string, unknown>>;

/** One field of an entry: what is expected there, whether it may be left out, and what a value has to keep to. */
interface Field {
  readonly expected: string;
  readonly isOptional?: boolean;
  readonly accepts: (value: unknown) => boolean;
}

const MAX_CLIENT_IDS = 100;

const FIELDS: Readonly<Record<string, Field>> = {
  name: {
    expected: "1 to 64 of a-z, 0-9, dot, hyphen and underscore",
    accepts: (value) => typeof value === "string" && /^[a-z0-9._-]{1,64}$/.test(value),
  },
  issuer: { expected: PROVIDER_URL, accepts: isUrl },
  clientIds: {
    expected: `1 to ${MAX_CLIENT_IDS} texts of 1 to 255 characters`,
    accepts: (value) => isListOf(value, (id) => typeof id === "string" && id !== "" && id.length <= 255) && value.length <= MAX_CLIENT_IDS,
  },
  jwksUri: { expected: PROVIDER_URL, isOptional: true, accepts: isUrl },
  algorithms: {
    expected: `one or more of ${ALGORITHMS.join(", ")}`,
    isOptional: true,
    accepts: (value) => isListOf(value, (name) => ALGORITHMS.some((algorithm) => algorithm === name)),
  },
  nonce: {
    expected: NONCE_FORMS.join(" or "),
    isOptional: true,
    accepts: (value) => NONCE_FORMS.some((form) => form === value),
  },
};

/** Reads a list of providers from JSON. Strict: a field that is unknown or wrong is a problem, named by its place. */
export function parseProviderList(text: string): ProviderList {
  const entries = parseJson(text);
  if (!Array.isArray(entries)) {
    return { providers: [], problems: ["expected a JSON list of providers"] };
  }
  const problems = entries.flatMap((entry, index) => problemsOf(entry).map((problem) => `[${index}]${problem}`));
  return { providers: problems.length > 0 ? [] : entries.map(toSettings), problems };
}

function problemsOf(entry: unknown): readonly string[] {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    return [": expected an object"];
  }
  const given = entry as Entry;
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(FIELDS, name));
  const wrong = Object.entries(FIELDS).filter(([name, { isOptional, accepts }]) => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    return value === undefined ? isOptional !== true : !accepts(value);
  });
  return [
    ...wrong.map(([name, { expected }]) => `.${name}: expected ${expected}`),
    ...unknown.map((name) => `: unknown field ${JSON.stringify(name)}`),
  ];
}

function toSettings(entry: Pick<ProviderSettings, "name" | "issuer" | "clientIds"> & Partial<ProviderSettings>): ProviderSettings {
  const { name, issuer, clientIds, jwksUri, algorithms = ["RS256"], nonce = "plain" } = entry;
  return { name, issuer, otherIssuers: [], clientIds, jwksUri, algorithms, nonce };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isUrl(value: unknown): boolean {
  return typeof value === "string" && isProviderUrl(value);
}

function isListOf(value: unknown, accepts: (item: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0 && value.every(accepts);
}
