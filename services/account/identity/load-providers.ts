import { readFile } from "node:fs/promises";
import { ConfigError } from "../../../platform/env.ts";
import { knownProviders } from "./known-providers.ts";
import { type ProviderList, parseProviderList } from "./provider-list.ts";
import type { ProviderSettings } from "./settings.ts";

/** Which providers log in. */
export interface IdentityConfig {
  /** The ids of our apps at Google; none: Google is off. */
  readonly googleClientIds: readonly string[];
  /** The ids of our apps at Apple; none: Apple is off. */
  readonly appleClientIds: readonly string[];
  /** A JSON list of further providers; undefined: none. */
  readonly providersFile: string | undefined;
}

const FILE_VARIABLE = "ACCOUNT_OIDC_PROVIDERS_FILE";

/** The settings of every provider that is configured. @throws ConfigError naming everything that is wrong with the file. */
export async function loadProviders(config: IdentityConfig): Promise<readonly ProviderSettings[]> {
  const { providers, problems } = config.providersFile === undefined ? NONE : await readList(config.providersFile);
  const all = [...knownProviders(config.googleClientIds, config.appleClientIds), ...providers];
  const wrong = [...problems, ...repeated(all, "name"), ...repeated(all, "issuer")];
  if (wrong.length > 0) {
    throw new ConfigError(wrong.map((problem) => `${FILE_VARIABLE}: ${problem}`));
  }
  return all;
}

const NONE: ProviderList = { providers: [], problems: [] };

async function readList(file: string): Promise<ProviderList> {
  try {
    return parseProviderList(await readFile(file, "utf8"));
  } catch (error) {
    return { providers: [], problems: [`the file cannot be read: ${String((error as NodeJS.ErrnoException).code)}`] };
  }
}

/** An identity is kept under its issuer, so an issuer is one provider. */
function repeated(providers: readonly ProviderSettings[], key: "name" | "issuer"): readonly string[] {
  const values = providers.map((provider) => provider[key]);
  const twice = values.filter((value, index) => values.indexOf(value) < index);
  return [...new Set(twice)].map((value) => `the ${key} ${value} belongs to two providers`);
}
