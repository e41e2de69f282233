import { createCipheriv, createDecipheriv } from "node:crypto";

/** Length of a nonce in bytes (NIST SP 800-38D section 5.2.1.1). */
export const NONCE_BYTES = 12;

/** AES-256-GCM with `context` as additional authenticated data. A nonce is used once for a key. */
export function encipher(secret: Uint8Array, nonce: Uint8Array, context: string, plain: Uint8Array): { body: Buffer; tag: Buffer } {
  const cipher = createCipheriv("aes-256-gcm", secret, nonce).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { body, tag: cipher.getAuthTag() };
}

/** Undoes `encipher`. @throws Error when key, nonce, context, tag or body are not those of one `encipher`. */
export function decipher(secret: Uint8Array, nonce: Uint8Array, context: string, body: Uint8Array, tag: Uint8Array): Buffer {
  const cipher = createDecipheriv("aes-256-gcm", secret, nonce, { authTagLength: 16 }).setAAD(Buffer.from(context)).setAuthTag(tag);
  return Buffer.concat([cipher.update(body), cipher.final()]);
}
