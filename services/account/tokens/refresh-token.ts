import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { type Uuid, uuidBytes, uuidFromBytes } from "../../../platform/ids.ts";
import type { ServiceName } from "../../../proto/method.ts";
import { derivedKey } from "./derived-key.ts";

/** A refresh token: 16-byte session id ‖ 4-byte generation (big endian) ‖ 972 random bytes ‖ 32-byte HMAC-SHA-256 over the rest. */
export const REFRESH_TOKEN_BYTES = 1024;
/** How many of its bytes are random. */
export const RANDOM_BYTES = 972;

const GENERATION_AT = 16;
const RANDOM_AT = 20;
const MAC_AT = REFRESH_TOKEN_BYTES - 32;

/** What a refresh token says: whose it is, and the how manieth of its family. */
export interface RefreshTokenHead {
  readonly sessionId: Uuid;
  /** From 1 up. */
  readonly generation: number;
}

/** The refresh token of a head, signed with the token key `secret` for one service. `random` is 972 bytes. */
export function makeRefreshToken(
  { sessionId, generation }: RefreshTokenHead,
  random: Uint8Array,
  secret: Buffer,
  service: ServiceName,
): Buffer {
  const token = Buffer.alloc(REFRESH_TOKEN_BYTES);
  uuidBytes(sessionId).copy(token);
  token.writeUInt32BE(generation, GENERATION_AT);
  token.set(random.subarray(0, RANDOM_BYTES), RANDOM_AT);
  mac(token, secret, service).copy(token, MAC_AT);
  return token;
}

/** What a token says, if one of the token keys made it for this service; undefined for any other bytes. */
export function readRefreshToken(token: Uint8Array, secrets: readonly Buffer[], service: ServiceName): RefreshTokenHead | undefined {
  if (
    token.length !== REFRESH_TOKEN_BYTES ||
    !secrets.some((secret) => timingSafeEqual(mac(token, secret, service), token.subarray(MAC_AT)))
  ) {
    return undefined;
  }
  const bytes = Buffer.from(token.buffer, token.byteOffset, token.byteLength);
  return { sessionId: uuidFromBytes(bytes), generation: bytes.readUInt32BE(GENERATION_AT) };
}

/** The SHA-256 under which a token is known to the database. */
export function digestOf(token: Uint8Array): Buffer {
  return createHash("sha256").update(token).digest();
}

function mac(token: Uint8Array, secret: Buffer, service: ServiceName): Buffer {
  // A key for each service: the token of one is garbage to the other.
  const key = derivedKey(secret, `sallyport refresh token ${service}`);
  return createHmac("sha256", key).update(token.subarray(0, MAC_AT)).digest();
}
