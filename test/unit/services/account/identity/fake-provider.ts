import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { createIdentityProviders, type IdentityProviders } from "../../../../../services/account/identity/providers.ts";
import type { ProviderSettings } from "../../../../../services/account/identity/settings.ts";

/** A key pair of a provider: what it signs with, and what it publishes. */
export interface ProviderKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** When the tokens of these tests are judged, in milliseconds since the epoch. */
export const NOW = 1_800_000_000_000;
/** The same in seconds, as in claims. */
export const NOW_S: number = NOW / 1000;

export const SETTINGS: ProviderSettings = {
  name: "example",
  issuer: "https://id.example",
  otherIssuers: [],
  clientIds: ["app", "other-app"],
  jwksUri: "https://id.example/keys",
  algorithms: ["RS256"],
  nonce: "plain",
};

export const NONCE = "n-0S6_WzA2Mj";

export async function makeKey(kid: string, alg = "RS256"): Promise<ProviderKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: "sig" } };
}

/** Claims as nobody should make them, too; undefined: none. */
export type Claims = Readonly<Record<string, unknown>>;

/** The claims of a good token, with those that are given. */
export function claimsWith(claims: Claims = {}): JWTPayload {
  const good = { iss: SETTINGS.issuer, aud: "app", sub: "somebody", iat: NOW_S - 5, exp: NOW_S + 600, nonce: NONCE };
  return JSON.parse(JSON.stringify({ ...good, ...claims })) as JWTPayload;
}

export function sign(key: ProviderKey, claims: JWTPayload, header: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey);
}

/** Providers over one that publishes these keys, and what they told of refusals. */
export function publish(
  keys: readonly ProviderKey[],
  settings: Partial<ProviderSettings> = {},
): { readonly providers: IdentityProviders; readonly refusals: readonly string[]; readonly fetched: readonly string[] } {
  const refusals: string[] = [];
  const fetched: string[] = [];
  const providers = createIdentityProviders([{ ...SETTINGS, ...settings }], {
    events: {
      idTokenRefused: (provider, refusal) => void refusals.push(`${provider} ${refusal}`),
      providerKeysMissed: (provider, fault) => void refusals.push(`${provider} ${fault}`),
    },
    clock: () => NOW,
    fetch: (url) => {
      fetched.push(url);
      return Promise.resolve(Response.json({ keys: keys.map(({ jwk }) => jwk) }));
    },
  });
  return { providers, refusals, fetched };
}
