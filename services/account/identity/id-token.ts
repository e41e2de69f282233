import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { isNonceOf } from "./nonce.ts";
import { IdTokenRefused, refusalOf } from "./refusal.ts";
import type { ProviderSettings } from "./settings.ts";

/** How far the clocks of a provider and of this machine may be apart, in seconds. */
export const CLOCK_SKEW_S = 30;
/** An ID token proves a login of a moment ago: older ones are refused, however long their provider lets them live. In seconds. */
export const MAX_AGE_S = 3600;
/** OpenID Connect Core section 2: a subject is at most 255 ASCII characters. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;

/** What an ID token says that is used. Its e-mail address, verified or not, is none of it: an account is found by issuer and subject alone. */
export interface IdTokenClaims {
  readonly subject: string;
  /** When they logged in to the provider. */
  readonly loggedInAt: Date;
}

/**
 * Verifies an ID token as OpenID Connect Core section 3.1.3.7 asks: signature by a pinned algorithm, issuer, audience, authorized party, times, nonce.
 * @throws IdTokenRefused with the cause; whatever `keyOf` throws that is no fault of the token.
 */
export async function verifyIdToken(
  settings: ProviderSettings,
  keyOf: JWTVerifyGetKey,
  { idToken, nonce }: { readonly idToken: string; readonly nonce: string },
  now: Date,
): Promise<IdTokenClaims> {
  const { payload, typ } = await verifySigned(settings, keyOf, idToken, now);
  // RFC 8725 section 3.11: tokens of other kinds, signed with the same keys, name their kind.
  if (typ !== undefined && !/^(application\/)?jwt$/i.test(typ)) {
    throw new IdTokenRefused("type");
  }
  checkParties(payload, settings.clientIds);
  const claimed = payload["nonce"];
  if (nonce === "" || typeof claimed !== "string" || !isNonceOf(claimed, nonce, settings.nonce)) {
    throw new IdTokenRefused("nonce");
  }
  if (typeof payload.sub !== "string" || !SUBJECT.test(payload.sub)) {
    throw new IdTokenRefused("sub");
  }
  return { subject: payload.sub, loggedInAt: loginTimeOf(payload) };
}

async function verifySigned(
  { issuer, otherIssuers, clientIds, algorithms }: ProviderSettings,
  keyOf: JWTVerifyGetKey,
  idToken: string,
  now: Date,
): Promise<{ readonly payload: JWTPayload; readonly typ: string | undefined }> {
  try {
    const { payload, protectedHeader } = await jwtVerify(idToken, keyOf, {
      algorithms: [...algorithms],
      issuer: [issuer, ...otherIssuers],
      audience: [...clientIds],
      requiredClaims: ["exp"],
      maxTokenAge: MAX_AGE_S,
      clockTolerance: CLOCK_SKEW_S,
      currentDate: now,
    });
    return { payload, typ: protectedHeader.typ };
  } catch (error) {
    const refusal = refusalOf(error);
    throw refusal === undefined ? error : new IdTokenRefused(refusal);
  }
}

// Every audience is one of our apps, or another one that holds the token could log in with it. Of several, the one that it was made for is named.
function checkParties({ aud, azp }: JWTPayload, clientIds: readonly string[]): void {
  const audiences: readonly unknown[] = [aud].flat();
  if (!audiences.every((audience) => clientIds.some((id) => id === audience))) {
    throw new IdTokenRefused("aud");
  }
  const isNamed = azp !== undefined || audiences.length > 1;
  if (isNamed && !(typeof azp === "string" && clientIds.includes(azp))) {
    throw new IdTokenRefused("azp");
  }
}

// A provider gives fresh tokens for an old login: `auth_time` is of the login itself. A token that leaves it out is taken for as old as its login.
function loginTimeOf(payload: JWTPayload): Date {
  const [issued, loggedIn] = [Number(payload.iat), payload["auth_time"]];
  return new Date(1000 * (typeof loggedIn === "number" ? Math.min(loggedIn, issued) : issued));
}
