import { createHash, randomUUID } from "node:crypto";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A UUID in lower case (RFC 9562 section 4). */
export type Uuid = Branded<"Uuid">;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text is a UUID, in upper or lower case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The lower-case form of a UUID. @throws TypeError when the text is none. */
export function parseUuid(text: string): Uuid {
  if (!isUuid(text)) {
    throw new TypeError("not a UUID");
  }
  return text.toLowerCase() as Uuid;
}

/** A random UUID (version 4). */
export function newUuid(): Uuid {
  return randomUUID() as Uuid;
}

/** The 16 bytes of a UUID. */
export function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll("-", ""), "hex");
}

/** The UUID of 16 bytes. */
export function uuidFromBytes(bytes: Uint8Array): Uuid {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Uuid;
}

/** A UUID made from the SHA-256 of some parts (version 8, RFC 9562 section 5.8): the same parts, the same id. */
export function derivedUuid(...parts: readonly (string | Uint8Array)[]): Uuid {
  const hash = createHash("sha256");
  for (const part of parts) {
    hash.update(part);
  }
  const bytes = hash.digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return uuidFromBytes(bytes);
}
