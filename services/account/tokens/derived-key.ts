import { hkdfSync } from "node:crypto";

const KEY_BYTES = 32;
const derivedFrom = new WeakMap<Buffer, Map<string, Buffer>>();

/** The key that HKDF-SHA-256 (RFC 5869) makes of a secret for one purpose; made once, and forgotten with the secret. */
export function derivedKey(secret: Buffer, purpose: string): Buffer {
  const keys = derivedFrom.get(secret) ?? new Map<string, Buffer>();
  const key = keys.get(purpose) ?? Buffer.from(hkdfSync("sha256", secret, "", purpose, KEY_BYTES));
  derivedFrom.set(secret, keys.set(purpose, key));
  return key;
}
