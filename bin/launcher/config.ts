import { join, resolve } from "node:path";
import { mongodbUri } from "../../platform/addresses.ts";
import { type Env, onOff, readVariables, text, type Variable } from "../../platform/env.ts";

/** The launcher's own variables. */
export const launcherVariables: {
  readonly SALLYPORT_DATA_DIR: Variable<string>;
  readonly SALLYPORT_KEYS_DIR: Variable<string>;
  readonly MONGODB_URI: Variable<string>;
  readonly ACCOUNT_DEV_LOGIN: Variable<boolean>;
} = {
  SALLYPORT_DATA_DIR: {
    default: ".sallyport",
    meaning: "the directory of everything that is kept on this machine: the embedded database, keys",
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
    parse: (value) => (value === "" ? "" : mongodbUri(value)),
  },
  ACCOUNT_DEV_LOGIN: {
    default: "off",
    meaning:
      "lets dev credentials log in; unset under start: on where only this machine reaches the gateway; refused on a non-loopback host",
    parse: onOff,
  },
};

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
