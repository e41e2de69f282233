import { join, resolve } from "node:path";
import { type Env, readVariables, text } from "../../platform/env.ts";

/** The launcher's own variables. */
export const launcherVariables = {
  SALLYPORT_DATA_DIR: {
    default: ".sallyport",
    meaning: "the directory of everything that is kept on this machine: the embedded database, keys, the operator's token",
    parse: text,
  },
  SALLYPORT_KEYS_DIR: {
    default: "",
    meaning: "the keys that all copies of the services share; unset: SALLYPORT_DATA_DIR/keys",
    parse: text,
  },
  MONGODB_URI: {
    default: "",
    meaning:
      "the database, a replica set; the name in it (default sallyport) prefixes the services' own; unset under start: a private mongod under SALLYPORT_DATA_DIR",
    parse: mongodbUri,
  },
} as const;

/** What the launcher works with: absolute paths, and the database when it is not to run one itself. */
export interface LauncherConfig {
  readonly dataDirectory: string;
  readonly keysDirectory: string;
  readonly mongodbUri: string | undefined;
}

/**
 * Reads the launcher's variables; relative paths count from the working directory.
 * @throws ConfigError naming every wrong one.
 */
export function launcherConfig(env: Env): LauncherConfig {
  const values = readVariables(env, launcherVariables);
  const dataDirectory = resolve(values.SALLYPORT_DATA_DIR);
  return {
    dataDirectory,
    keysDirectory: values.SALLYPORT_KEYS_DIR === "" ? join(dataDirectory, "keys") : resolve(values.SALLYPORT_KEYS_DIR),
    mongodbUri: values.MONGODB_URI === "" ? undefined : values.MONGODB_URI,
  };
}

function mongodbUri(value: string): string {
  if (value !== "" && !/^mongodb(\+srv)?:\/\/./.test(value)) {
    throw new Error("expected mongodb:// or mongodb+srv://");
  }
  return value;
}
