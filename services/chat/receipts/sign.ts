import { createHmac } from "node:crypto";
import type { Key } from "../../../platform/keys/key.ts";
import type { ReceiptClaims } from "./claims.ts";

/** The media type of a receipt, as its header names it. */
export const RECEIPT_TYPE = "receipt+jwt";

/** A receipt: compact JWS by HS256 (RFC 7515 section 3.1). The same key and claims give the same text for ever. */
export function signReceipt({ kid, secret }: Key, { iss, iat, jti, sub, aud, dig }: ReceiptClaims): string {
  // The order of the members is part of what repeats to the letter.
  const header = encode({ alg: "HS256", typ: RECEIPT_TYPE, kid });
  const content = `${header}.${encode({ iss, iat, jti, sub, aud, dig })}`;
  return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
