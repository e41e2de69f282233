import { isOfThisMachine } from "./addresses.ts";
import { text, type Values, type Variable } from "./env.ts";

/** The variables of mutual TLS between the processes. */
export type InternalTlsVariables = Readonly<Record<InternalTlsName, Variable<string>>>;

/** Their names. */
export type InternalTlsName = "INTERNAL_TLS_CA_FILE" | "INTERNAL_TLS_CERT_FILE" | "INTERNAL_TLS_KEY_FILE";

/** Their defaults and meanings, for the table of every role. */
export const internalTlsVariables: InternalTlsVariables = {
  INTERNAL_TLS_CA_FILE: {
    default: "",
    meaning:
      "mutual TLS between the processes: PEM of the authorities whose certificates the others show; needed as soon as one is on another machine",
    parse: text,
  },
  INTERNAL_TLS_CERT_FILE: {
    default: "",
    meaning: "mutual TLS between the processes: PEM of this process's certificate, with those between it and its authority",
    parse: text,
  },
  INTERNAL_TLS_KEY_FILE: {
    default: "",
    meaning: "mutual TLS between the processes: PEM of the key of this process's certificate",
    parse: text,
  },
};

/** The files of mutual TLS, all PEM. */
export interface InternalTlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** The files that are configured; undefined: none are. */
export function internalTlsFiles(values: Values<InternalTlsVariables>): InternalTlsFiles | undefined {
  const { INTERNAL_TLS_CA_FILE: caFile, INTERNAL_TLS_CERT_FILE: certFile, INTERNAL_TLS_KEY_FILE: keyFile } = values;
  return caFile === "" || certFile === "" || keyFile === "" ? undefined : { caFile, certFile, keyFile };
}

/** What is wrong between the files of mutual TLS and the addresses of gRPC servers, given by the names of their variables. */
export function internalTlsProblems(
  values: Values<InternalTlsVariables>,
  addresses: Readonly<Record<string, string | readonly string[]>>,
): readonly string[] {
  const names = Object.keys(internalTlsVariables) as InternalTlsName[];
  const missing = names.filter((name) => values[name] === "");
  if (missing.length === 0) {
    return [];
  }
  if (missing.length < names.length) {
    return missing.map((name) => `${name}: is needed with the other INTERNAL_TLS_*: all three or none`);
  }
  return Object.entries(addresses)
    .filter(([, given]) => ![given].flat().every(isOfThisMachine))
    .map(([name]) => `${name}: an address that is neither loopback nor a unix socket needs mutual TLS (${names.join(", ")})`);
}
