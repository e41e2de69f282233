import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../../platform/clock.ts";
import { invalidArgument, SallyportError } from "../../../platform/errors.ts";
import type { AccountEvents } from "../events.ts";
import type { Fetch } from "./fetch-document.ts";
import { verifyIdToken } from "./id-token.ts";
import { keySource } from "./key-source.ts";
import { ProviderKeys } from "./provider-keys.ts";
import { IdTokenRefused } from "./refusal.ts";
import type { ProviderSettings } from "./settings.ts";

/** Who an ID token is about. An account is found by issuer and subject; nothing else of a token is kept. */
export interface VerifiedIdentity {
  /** The provider's issuer, in one spelling. */
  readonly issuer: string;
  readonly subject: string;
  /** When they logged in to the provider. */
  readonly loggedInAt: Date;
}

/** What a client logs in with: the name of a provider, its ID token, and the nonce that the client had put into it. */
export interface OidcCredential {
  readonly provider: string;
  readonly idToken: string;
  readonly nonce: string;
}

/** The OpenID Connect providers that are configured. */
export interface IdentityProviders {
  /**
   * Who a credential is about. @throws SallyportError INVALID_ARGUMENT when there is no such provider, UNAUTHENTICATED ID_TOKEN_REFUSED when
   * the token is no good, UNAVAILABLE PROVIDER_UNAVAILABLE when there are no keys to judge it by.
   */
  verify(credential: OidcCredential): Promise<VerifiedIdentity>;
}

/** What providers are told by and tell. */
export interface ProviderSurroundings {
  readonly events: Pick<AccountEvents, "idTokenRefused" | "providerKeysMissed">;
  /** What tokens are judged by. */
  readonly clock: Clock;
  readonly fetch: Fetch;
}

/** Providers by their settings. Nothing is fetched before a provider's first token. */
export function createIdentityProviders(settings: readonly ProviderSettings[], surroundings: ProviderSurroundings): IdentityProviders {
  const { events, clock } = surroundings;
  const providers = new Map(settings.map((one) => [one.name, { settings: one, keys: keysOf(one, surroundings) }]));
  return {
    verify: async (credential) => {
      const provider = providers.get(credential.provider);
      if (provider === undefined) {
        throw invalidArgument([{ field: "oidc.provider", description: "is not a provider that is configured" }]);
      }
      const { name, issuer } = provider.settings;
      try {
        const find = provider.keys.find.bind(provider.keys);
        return { issuer, ...(await verifyIdToken(provider.settings, find, credential, new Date(clock()))) };
      } catch (error) {
        if (error instanceof IdTokenRefused) {
          events.idTokenRefused(name, error.refusal);
          throw new SallyportError("UNAUTHENTICATED", "the ID token was refused", { reason: "ID_TOKEN_REFUSED" });
        }
        throw error;
      }
    },
  };
}

function keysOf(settings: ProviderSettings, { events, fetch }: ProviderSurroundings): ProviderKeys {
  return new ProviderKeys(keySource(settings, fetch), {
    now: () => performance.now(),
    // A wait for keys keeps no process from ending.
    sleep: (ms) => sleep(ms, undefined, { ref: false }),
    failed: (fault, cause) => events.providerKeysMissed(settings.name, fault, cause),
  });
}
