import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

/** AES-256-GCM (NIST SP 800-38D): 12-byte nonce ‖ ciphertext ‖ 16-byte tag. */
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals a token so that only who holds `under`, the token that it succeeds, can open it. `nonce` is 12 random bytes. */
export function seal(token: Uint8Array, under: Uint8Array, nonce: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", sealingKey(under), nonce);
  return Buffer.concat([nonce, cipher.update(token), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what `seal` made. @throws Error when it was sealed under another token, or altered. */
export function open(sealed: Uint8Array, under: Uint8Array): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", sealingKey(under), sealed.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

function sealingKey(under: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", under, "", "sallyport sealed successor", 32));
}
