import type { ProviderSettings } from "./settings.ts";

type Known = Omit<ProviderSettings, "clientIds">;

/** https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken: both spellings of the issuer are one issuer. */
const GOOGLE: Known = {
  name: "google",
  issuer: "https://accounts.google.com",
  otherIssuers: ["accounts.google.com"],
  jwksUri: "https://www.googleapis.com/oauth2/v3/certs",
  algorithms: ["RS256"],
  nonce: "plain",
};

/** https://developer.apple.com/documentation/signinwithapple/verifying-a-user: apps hand Apple the SHA-256 of their nonce. */
const APPLE: Known = {
  name: "apple",
  issuer: "https://appleid.apple.com",
  otherIssuers: [],
  jwksUri: "https://appleid.apple.com/auth/keys",
  algorithms: ["RS256", "ES256"],
  nonce: "sha256",
};

/** The providers that are known by name and switched on by the ids of our apps there. */
export function knownProviders(googleClientIds: readonly string[], appleClientIds: readonly string[]): readonly ProviderSettings[] {
  return [
    { ...GOOGLE, clientIds: googleClientIds },
    { ...APPLE, clientIds: appleClientIds },
  ].filter(({ clientIds }) => clientIds.length > 0);
}
