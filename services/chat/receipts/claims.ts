import { createHash } from "node:crypto";
import { acceptedAtOf } from "../delivery/hybrid-clock.ts";
import type { ChatMessage } from "../delivery/message.ts";

/** What a receipt says, in this order (RFC 7519 section 4.1; `dig`: unpadded base64url of the body's SHA-256). */
export interface ReceiptClaims {
  readonly iss: "sallyport";
  /** Seconds since the epoch. */
  readonly iat: number;
  /** The message. */
  readonly jti: string;
  /** The sender. */
  readonly sub: string;
  /** The recipient. */
  readonly aud: string;
  readonly dig: string;
}

/** The issuer of every receipt. */
export const ISSUER = "sallyport";

/** What a message's receipt says. */
export function claimsOf(message: Pick<ChatMessage, "id" | "senderId" | "recipientId" | "order" | "body">): ReceiptClaims {
  return {
    iss: ISSUER,
    iat: Math.floor(acceptedAtOf(message.order) / 1000),
    jti: message.id,
    sub: message.senderId,
    aud: message.recipientId,
    dig: digestBody(message.body),
  };
}

/** Unpadded base64url of a body's SHA-256. */
export function digestBody(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("base64url");
}
