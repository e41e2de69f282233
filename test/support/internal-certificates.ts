import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { InternalTlsFiles } from "../../platform/internal-tls.ts";
import type { Authority, Issued, Subject } from "./certificates.ts";

/** What a certificate says by default: it is for this machine and of no role. */
const LOCAL: Omit<Subject, "commonName"> = { dns: ["localhost"], ips: ["127.0.0.1"] };

/** Writes a fresh certificate of an authority, its key and what it trusts (by default the same authority) to files named after it. */
export async function issueFiles(
  directory: string,
  authority: Authority,
  { trusts = authority.cert, ...subject }: Subject & { readonly trusts?: string },
): Promise<InternalTlsFiles> {
  const issued = await authority.issue({ ...LOCAL, ...subject });
  return writeFiles(directory, subject.commonName, issued, trusts);
}

/** The URI by which a certificate names a role. */
export function roleUri(role: string): string {
  return `sallyport:role:${role}`;
}

/** The files as environment variables. */
export function toEnvironment({ caFile, certFile, keyFile }: InternalTlsFiles): Record<string, string> {
  return { INTERNAL_TLS_CA_FILE: caFile, INTERNAL_TLS_CERT_FILE: certFile, INTERNAL_TLS_KEY_FILE: keyFile };
}

async function writeFiles(directory: string, name: string, { cert, key }: Issued, ca: string): Promise<InternalTlsFiles> {
  const files = {
    caFile: join(directory, `${name}-ca.pem`),
    certFile: join(directory, `${name}-cert.pem`),
    keyFile: join(directory, `${name}-key.pem`),
  };
  await Promise.all([writeFile(files.caFile, ca), writeFile(files.certFile, cert), writeFile(files.keyFile, key, { mode: 0o600 })]);
  return files;
}
