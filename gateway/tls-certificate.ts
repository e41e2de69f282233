import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { ConfigError } from "../platform/env.ts";

/** Where the certificate of the public port and its key are, both PEM. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate with those between it and its authority, and its key: what the files hold, found to belong together. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly validTo: Date;
}

/** Reads a certificate and its key. @throws ConfigError that names the file and what is wrong with it. */
export async function readCertificate({ certFile, keyFile }: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.allSettled([readFile(certFile, "utf8"), readFile(keyFile, "utf8")]);
  if (cert.status === "rejected" || key.status === "rejected") {
    throw new ConfigError([...unreadable("GATEWAY_TLS_CERT_FILE", certFile, cert), ...unreadable("GATEWAY_TLS_KEY_FILE", keyFile, key)]);
  }
  return checkCertificate(cert.value, key.value);
}

function checkCertificate(cert: string, key: string): Certificate {
  const leaf = attempt(() => new X509Certificate(cert), "GATEWAY_TLS_CERT_FILE: holds no certificate in PEM");
  const privateKey = attempt(() => createPrivateKey(key), "GATEWAY_TLS_KEY_FILE: holds no private key in PEM, or one with a passphrase");
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new ConfigError(["GATEWAY_TLS_KEY_FILE: is not the key of the certificate in GATEWAY_TLS_CERT_FILE"]);
  }
  attempt(() => createSecureContext({ cert, key }), "GATEWAY_TLS_CERT_FILE: holds what TLS cannot use");
  return { cert, key, validTo: new Date(leaf.validTo) };
}

/** What the library says of a file may quote it. */
function attempt<T>(act: () => T, problem: string): T {
  try {
    return act();
  } catch {
    throw new ConfigError([problem]);
  }
}

function unreadable(name: string, file: string, read: PromiseSettledResult<string>): readonly string[] {
  return read.status === "fulfilled" ? [] : [`${name}: cannot read ${file} (${(read.reason as NodeJS.ErrnoException).code})`];
}
