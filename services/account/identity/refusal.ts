import { errors } from "jose";

/** Why an ID token is no good. For the log; the client is told that it was refused, no more. */
export type RefusalCause = "malformed" | "algorithm" | "key" | "signature" | "type" | "expired" | ClaimName;

const CLAIMS = ["iss", "aud", "azp", "sub", "exp", "iat", "nbf", "nonce"] as const;
/** The claims that are judged. */
export type ClaimName = (typeof CLAIMS)[number];

/** An ID token is no good. Never sent: it becomes one and the same answer, whatever the cause. */
export class IdTokenRefused extends Error {
  readonly refusal: RefusalCause;

  constructor(refusal: RefusalCause) {
    super(`ID token refused: ${refusal}`);
    this.name = "IdTokenRefused";
    this.refusal = refusal;
  }
}

/** What an error of jose says about a token; undefined when it says nothing about one. Its text and claims are left behind. */
export function refusalOf(error: unknown): RefusalCause | undefined {
  if (error instanceof errors.JWTExpired) {
    return "expired";
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return CLAIMS.find((claim) => claim === error.claim) ?? "malformed";
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return "algorithm";
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return "signature";
  }
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return "key";
  }
  // What a key of a provider is refused with that cannot be read, or is too short.
  if (error instanceof TypeError || error instanceof DOMException) {
    return "key";
  }
  return error instanceof errors.JOSEError ? "malformed" : undefined;
}
