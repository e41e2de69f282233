/** The signature algorithms that a provider may be pinned to: asymmetric ones only (RFC 7518 section 3.1, RFC 8037, RFC 9864). */
export const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"] as const;
/** One of them. */
export type Algorithm = (typeof ALGORITHMS)[number];

/** How a client's nonce stands in the token: to the letter, or as its SHA-256 in hexadecimal or base64url. */
export const NONCE_FORMS = ["plain", "sha256"] as const;
/** One of them. */
export type NonceForm = (typeof NONCE_FORMS)[number];

/** A provider whose ID tokens log in. */
export interface ProviderSettings {
  /** What `oidc.provider` of a credential says. */
  readonly name: string;
  /** The issuer that identities are kept under, and that tokens are from. */
  readonly issuer: string;
  /** How else its tokens spell the issuer. */
  readonly otherIssuers: readonly string[];
  /** The audiences that its tokens may be for: our apps' ids at the provider. */
  readonly clientIds: readonly string[];
  /** Where its keys are; undefined: where its discovery document says. */
  readonly jwksUri: string | undefined;
  readonly algorithms: readonly Algorithm[];
  readonly nonce: NonceForm;
}
