import { accountService } from "../proto/gen/policy/services.ts";
import type { LoginRequest } from "../proto/gen/sallyport/account/v1/account.ts";
import type { ServiceName } from "../proto/method.ts";
import { callOverHttp } from "./http.ts";
import { callWithRetries } from "./retry.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Throttle } from "./throttle.ts";
import type { TokenStore } from "./token-store.ts";

/**
 * How somebody proves who they are. `dev`: a name that anybody may claim, for development. `oidc`: an ID token of an OpenID Connect provider, and
 * the nonce that the app made for it, as it was before it was hashed where the provider is given its hash.
 */
export type Credential =
  | { readonly dev: { readonly name: string } }
  | { readonly oidc: { readonly provider: string; readonly idToken: string; readonly nonce: string } };

/** How a login is made. */
export interface LoginOptions {
  /** Shown to the owner in the list of sessions. */
  readonly client?: { readonly platform: string; readonly version: string };
  /** Default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Who logged in. */
export interface LoggedIn {
  readonly accountId: string;
  /** Whether this login made the account. */
  readonly created: boolean;
}

/** Makes a session and puts its refresh tokens into the store, in place of those of an earlier session. @throws CallError */
export async function login(
  { surroundings, throttle }: { readonly surroundings: Surroundings; readonly throttle: Throttle },
  baseUrl: string,
  credential: Credential,
  store: TokenStore,
  { client, timeoutMs = 10_000, signal }: LoginOptions = {},
): Promise<LoggedIn> {
  const method = accountService.methods.login;
  const request = method.request.encode({ credential: toOneof(credential), client }).finish();
  const bytes = await callWithRetries({ surroundings, throttle }, { timeoutMs, signal, repeatable: false }, (deadline) =>
    callOverHttp(surroundings, baseUrl, method, request, deadline),
  );
  const { accountId, created, tokens } = method.response.decode(bytes);
  await store.exclusive(async () => {
    for (const [service, { refreshToken }] of Object.entries(tokens)) {
      await store.save(service as ServiceName, refreshToken);
    }
  });
  return { accountId, created };
}

function toOneof(credential: Credential): NonNullable<LoginRequest["credential"]> {
  return "dev" in credential ? { $case: "dev", value: credential.dev } : { $case: "oidc", value: credential.oidc };
}
