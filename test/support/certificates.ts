import { createPrivateKey, type webcrypto } from "node:crypto";
import type { JsonGeneralName, SubjectAlternativeNameExtension, X509Certificate } from "@peculiar/x509";

/** What a certificate says. */
export interface Subject {
  readonly commonName: string;
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly uris?: readonly string[];
  /** How long it is valid from now on; a negative number makes one that has expired. */
  readonly days?: number;
}

/** A certificate and its private key, both PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

/** Who signs certificates in a test. */
export interface Authority {
  /** Its own certificate, PEM: what a peer trusts. */
  readonly cert: string;
  /** Signs a certificate for a server and a client alike. */
  issue(subject: Subject): Promise<Issued>;
}

type X509 = typeof import("@peculiar/x509");

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** Makes an authority of its own. */
export async function makeAuthority(commonName = "Sallyport test authority"): Promise<Authority> {
  const x509 = await loadX509();
  const keys = await generateKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: ALGORITHM,
    ...validity(30),
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)],
  });
  return { cert: authority.toString("pem"), issue: (subject) => issue(x509, authority, keys.privateKey, subject) };
}

async function issue(x509: X509, authority: X509Certificate, signingKey: webcrypto.CryptoKey, subject: Subject): Promise<Issued> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${subject.commonName}`,
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    ...validity(subject.days ?? 30),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      ...alternativeNames(x509, subject),
    ],
  });
  return { cert: certificate.toString("pem"), key: await exportKey(keys.privateKey) };
}

function alternativeNames(x509: X509, { dns = [], ips = [], uris = [] }: Subject): SubjectAlternativeNameExtension[] {
  const names: JsonGeneralName[] = [
    ...dns.map((value) => ({ type: "dns" as const, value })),
    ...ips.map((value) => ({ type: "ip" as const, value })),
    ...uris.map((value) => ({ type: "url" as const, value })),
  ];
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
}

/** From a day before now, so that no clock is too early for it; an expired one has ended meanwhile. */
function validity(days: number): { notBefore: Date; notAfter: Date } {
  const notAfter = Date.now() + days * DAY_MS;
  return { notBefore: new Date(Math.min(Date.now(), notAfter) - DAY_MS), notAfter: new Date(notAfter) };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", key));
  return createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" }).toString();
}

// The library's dependency injection insists on the reflect-metadata polyfill and asks it for nothing that is there.
async function loadX509(): Promise<X509> {
  Object.assign(Reflect, { getMetadata: () => undefined, getOwnMetadata: () => undefined });
  return import("@peculiar/x509");
}
