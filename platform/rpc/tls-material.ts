import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ConfigError } from "../env.ts";
import type { InternalTlsFiles, InternalTlsName } from "../internal-tls.ts";

/** What a process proves itself with and checks others by: PEM. */
export interface TlsMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** The files' contents as they are, unchecked. @throws ConfigError naming every variable whose file cannot be read. */
export async function readMaterial({ caFile, certFile, keyFile }: InternalTlsFiles): Promise<TlsMaterial> {
  const problems: string[] = [];
  const read = async (name: InternalTlsName, file: string): Promise<string> => {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      problems.push(`${name}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`);
      return "";
    }
  };
  const [ca, cert, key] = await Promise.all([
    read("INTERNAL_TLS_CA_FILE", caFile),
    read("INTERNAL_TLS_CERT_FILE", certFile),
    read("INTERNAL_TLS_KEY_FILE", keyFile),
  ]);
  refuse(problems.toSorted());
  return { ca, cert, key };
}

/**
 * Checks that certificate, key and authority belong together, and that the certificate is valid now: what a peer would refuse is refused here.
 * Answers when the certificate ends. @throws ConfigError; its text holds nothing of the files.
 */
export function checkMaterial({ ca, cert, key }: TlsMaterial, now: number): Date {
  const authorities = readCertificates(ca);
  const [own, ...chain] = readCertificates(cert);
  const privateKey = readKey(key);
  if (authorities.length === 0 || own === undefined || privateKey === undefined) {
    throw new ConfigError([
      ...(authorities.length === 0 ? ["INTERNAL_TLS_CA_FILE: holds no readable PEM certificate"] : []),
      ...(own === undefined ? ["INTERNAL_TLS_CERT_FILE: holds no readable PEM certificate"] : []),
      ...(privateKey === undefined ? ["INTERNAL_TLS_KEY_FILE: holds no readable PEM private key without a passphrase"] : []),
    ]);
  }
  const validTo = new Date(own.validTo);
  refuse([
    ...(isIssuedBy(own, chain, authorities) ? [] : ["INTERNAL_TLS_CERT_FILE: is not of an authority in INTERNAL_TLS_CA_FILE"]),
    ...(Date.parse(own.validFrom) <= now && now < validTo.getTime() ? [] : ["INTERNAL_TLS_CERT_FILE: is not valid at this time"]),
    ...(own.checkPrivateKey(privateKey) ? [] : ["INTERNAL_TLS_KEY_FILE: is not the key of the certificate in INTERNAL_TLS_CERT_FILE"]),
  ]);
  return validTo;
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
}

/** The certificates of a PEM text, each by itself: OpenSSL reads nothing behind one that ends without a new line. */
export function splitCertificates(pem: string): string[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(([block]) => block);
}

/** All certificates of a PEM text; none when one of them cannot be read. */
function readCertificates(pem: string): readonly X509Certificate[] {
  try {
    return splitCertificates(pem).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's text is about the file's insides.
    return undefined;
  }
}

/** Whether a way leads from a certificate over those of its chain to an authority. */
function isIssuedBy(own: X509Certificate, chain: readonly X509Certificate[], authorities: readonly X509Certificate[]): boolean {
  const isOf = (issued: X509Certificate, issuer: X509Certificate): boolean => issued.checkIssued(issuer) && issued.verify(issuer.publicKey);
  if (authorities.some((authority) => isOf(own, authority))) {
    return true;
  }
  const next = chain.findIndex((link) => isOf(own, link));
  const link = chain[next];
  return link !== undefined && isIssuedBy(link, chain.toSpliced(next, 1), authorities);
}
