import { compactVerify, errors } from "jose";
import { isUuid } from "../../../platform/ids.ts";
import type { KeyRing } from "../../../platform/keys/ring.ts";
import { ISSUER, type ReceiptClaims } from "./claims.ts";
import { RECEIPT_TYPE } from "./sign.ts";

/** What a receipt says, when one of our keys made it; undefined for anything else. */
export async function verifyReceipt(keys: KeyRing, receipt: string): Promise<ReceiptClaims | undefined> {
  try {
    const { payload, protectedHeader } = await compactVerify(receipt, (header) => secretOf(keys, header.kid), { algorithms: ["HS256"] });
    const isOurs = Object.keys(protectedHeader).length === 3 && protectedHeader.typ === RECEIPT_TYPE;
    return isOurs ? readClaims(JSON.parse(Buffer.from(payload).toString("utf8"))) : undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof SyntaxError || error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
}

async function secretOf(keys: KeyRing, kid: string | undefined): Promise<Uint8Array> {
  const key = kid === undefined ? undefined : await keys.find(kid);
  if (key === undefined) {
    throw new errors.JWSInvalid("no such key");
  }
  return key.secret;
}

function readClaims(value: unknown): ReceiptClaims | undefined {
  const claims = value as ReceiptClaims;
  const isWhole =
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).sort().join() === "aud,dig,iat,iss,jti,sub" &&
    claims.iss === ISSUER &&
    Number.isSafeInteger(claims.iat) &&
    [claims.jti, claims.sub, claims.aud].every((id) => typeof id === "string" && isUuid(id)) &&
    typeof claims.dig === "string";
  return isWhole ? claims : undefined;
}
