import { randomBytes } from "node:crypto";
import { invalidArgument, SallyportError } from "../../../platform/errors.ts";
import { newUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { LoginRequest, LoginResponse, TokenPair } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { ServiceName } from "../../../proto/method.ts";
import type { AccountContext } from "../context.ts";
import { SERVICE_NAMES } from "../service-name.ts";
import { type GrantDocument, PURGE_AFTER_MS, type SessionDocument } from "../store/schema.ts";
import { ACCESS_TOKEN_BYTES } from "../tokens/access-token.ts";
import { beginFamily, type Family } from "../tokens/family.ts";
import { digestOf, makeRefreshToken, RANDOM_BYTES } from "../tokens/refresh-token.ts";

/** AccountService.Login. */
export function login(context: AccountContext): Handler<LoginRequest, LoginResponse> {
  return async ({ credential, client }) => {
    const devName = readCredential(context, credential);

    const now = new Date(context.clock());
    const { accountId, created } = await context.accounts.findOrCreate(devName, newUuid(), now);
    if (created) {
      context.events.accountCreated(accountId);
    }
    const sessionId = newUuid();
    const tokens = forEachService((service): TokenPair => {
      const refreshToken = makeRefreshToken({ sessionId, generation: 1 }, randomBytes(RANDOM_BYTES), context.keys.secret, service);
      return { refreshToken, accessToken: randomBytes(ACCESS_TOKEN_BYTES) };
    });
    const families = forEachService((service): Family => beginFamily(digestOf(tokens[service].refreshToken), now));
    const purgeAt = new Date(now.getTime() + PURGE_AFTER_MS);
    const session: SessionDocument = { _id: sessionId, accountId, createdAt: now, lastSeenAt: now, families, purgeAt };
    await context.sessions.add(client === undefined ? session : { ...session, client });
    if (context.config.debug) {
      await Promise.all(SERVICE_NAMES.map((service) => context.grants.add(socketlessGrant(session, service, tokens[service]))));
    }
    context.events.loggedIn(accountId, sessionId);

    return { accountId, created, tokens };
  };
}

function readCredential({ config }: AccountContext, credential: LoginRequest["credential"]): string {
  switch (credential?.$case) {
    case "dev":
      if (!config.devLogin) {
        throw new SallyportError("PERMISSION_DENIED", "dev credentials are switched off", { reason: "DEV_LOGIN_DISABLED" });
      }
      return credential.value.name;
    case "oidc":
      throw invalidArgument([{ field: "oidc.provider", description: "is not a provider that is configured" }]);
    case undefined:
      throw invalidArgument([{ field: "credential", description: "is required" }]);
  }
}

function forEachService<T>(make: (service: ServiceName) => T): Record<ServiceName, T> {
  return { account: make("account"), chat: make("chat") };
}

/** What makes the access token of a login work in debug mode. */
function socketlessGrant(session: SessionDocument, service: ServiceName, { accessToken }: TokenPair): GrantDocument {
  const { _id: sessionId, accountId, createdAt, purgeAt } = session;
  return { _id: digestOf(accessToken).toString("hex"), service, accountId, sessionId, generation: 1, createdAt, purgeAt };
}
