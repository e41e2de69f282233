import { createLocalJWKSet, type JSONWebKeySet, type LocalJWKSet } from "jose";
import { DocumentUnavailable, type Fetch, fetchDocument } from "./fetch-document.ts";
import { lifetimeOf } from "./key-lifetime.ts";
import { isProviderUrl } from "./provider-url.ts";
import type { ProviderSettings } from "./settings.ts";

/** A provider's keys, and how long they may be used without asking for them again, in milliseconds. */
export interface FetchedKeys {
  readonly keys: LocalJWKSet;
  readonly lifetimeMs: number;
}

/** Where a provider's keys come from. @throws DocumentUnavailable */
export type KeySource = () => Promise<FetchedKeys>;

/** How long a fetch of keys may take, the discovery document included, in milliseconds. */
const FETCH_TIMEOUT_MS = 5_000;

/** The keys of a provider, from its JWKS document: at the address in its settings, or else in its discovery document. */
export function keySource({ issuer, jwksUri }: Pick<ProviderSettings, "issuer" | "jwksUri">, fetch: Fetch): KeySource {
  return async () => {
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    const { content, headers } = await fetchDocument(fetch, jwksUri ?? (await discoverJwksUri(issuer, fetch, signal)), signal);
    return { keys: readKeys(content), lifetimeMs: lifetimeOf(headers) };
  };
}

/** OpenID Connect Discovery 1.0 section 4. */
async function discoverJwksUri(issuer: string, fetch: Fetch, signal: AbortSignal): Promise<string> {
  const { content } = await fetchDocument(fetch, `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, signal);
  if (content["issuer"] !== issuer) {
    throw new DocumentUnavailable("wrong-issuer");
  }
  const jwksUri = content["jwks_uri"];
  // Only a provider on this machine may send us to this machine.
  if (typeof jwksUri !== "string" || !isProviderUrl(jwksUri) || (issuer.startsWith("https:") && !jwksUri.startsWith("https:"))) {
    throw new DocumentUnavailable("wrong-address");
  }
  return jwksUri;
}

function readKeys(content: Readonly<Record<string, unknown>>): LocalJWKSet {
  const { keys } = content;
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new DocumentUnavailable("no-keys");
  }
  try {
    return createLocalJWKSet(content as unknown as JSONWebKeySet);
  } catch (error) {
    throw new DocumentUnavailable("malformed", error);
  }
}
