import { randomBytes } from "node:crypto";
import { invalidArgument, SallyportError, unavailable } from "../../../platform/errors.ts";
import { newUuid, type Uuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { LoginRequest, LoginResponse, TokenPair } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { ServiceName } from "../../../proto/method.ts";
import { accountLocked } from "../closing.ts";
import type { AccountContext } from "../context.ts";
import { SERVICE_NAMES } from "../service-name.ts";
import type { AccountKey, Standing } from "../store/accounts.ts";
import { type GrantDocument, PURGE_AFTER_MS, type SessionDocument } from "../store/schema.ts";
import { ACCESS_RANDOM_BYTES, makeAccessToken } from "../tokens/access-token.ts";
import { beginFamily, type Family } from "../tokens/family.ts";
import { digestOf, makeRefreshToken, RANDOM_BYTES } from "../tokens/refresh-token.ts";

/** AccountService.Login. */
export function login(context: AccountContext): Handler<LoginRequest, LoginResponse> {
  return async ({ credential, client }, { address }) => {
    const key = await readCredential(context, credential);
    const account = await context.accounts.findOrCreate(key, newUuid());
    const { accountId, created, now, readAt } = account;
    if (created) {
      context.events.accountCreated(accountId);
    }
    requireOpen(account.standing);

    const sessionId = newUuid();
    const tokens = mintTokens(context, sessionId);
    const families = forEachService((service): Family => beginFamily(digestOf(tokens[service].refreshToken), now));
    const purgeAt = new Date(now.getTime() + PURGE_AFTER_MS);
    const session: SessionDocument = { _id: sessionId, accountId, createdAt: now, lastSeenAt: now, families, purgeAt };
    await begin(context, client === undefined ? session : { ...session, client });
    if (context.config.debug) {
      await Promise.all(SERVICE_NAMES.map((service) => context.grants.add(socketlessGrant(session, service, tokens[service]))));
    }
    await context.audit.loggedIn({ accountId, sessionId, address, at: readAt });
    context.events.loginAnswered("devName" in key ? "dev" : "oidc");

    return { accountId, created, tokens };
  };
}

async function readCredential({ config, identityProviders }: AccountContext, credential: LoginRequest["credential"]): Promise<AccountKey> {
  switch (credential?.$case) {
    case "dev":
      if (!config.devLogin) {
        throw new SallyportError("PERMISSION_DENIED", "dev credentials are switched off", { reason: "DEV_LOGIN_DISABLED" });
      }
      return { devName: credential.value.name };
    case "oidc": {
      const { issuer, subject } = await identityProviders.verify(credential.value);
      return { identity: { issuer, subject } };
    }
    case undefined:
      throw invalidArgument([{ field: "credential", description: "is required" }]);
  }
}

/** Adds a session, unless the account was locked or deleted before that was durable: whoever does so later finds the session, and ends it. */
async function begin({ sessions, accounts }: AccountContext, session: SessionDocument): Promise<void> {
  await sessions.add(session);
  const standing = await accounts.standing(session.accountId);
  if (standing !== "open") {
    // Nobody holds its tokens yet.
    await sessions.discard(session._id);
  }
  requireOpen(standing);
}

function requireOpen(standing: Standing): void {
  switch (standing) {
    case "open":
      return;
    case "locked":
      throw accountLocked();
    case "gone":
      throw unavailable("the account was deleted a moment ago", "ACCOUNT_JUST_DELETED");
  }
}

function mintTokens({ keys }: AccountContext, sessionId: Uuid): Record<ServiceName, TokenPair> {
  return forEachService((service) => ({
    refreshToken: makeRefreshToken({ sessionId, generation: 1 }, randomBytes(RANDOM_BYTES), keys.secret, service),
    accessToken: makeAccessToken(randomBytes(ACCESS_RANDOM_BYTES), keys.secret),
  }));
}

function forEachService<T>(make: (service: ServiceName) => T): Record<ServiceName, T> {
  return { account: make("account"), chat: make("chat") };
}

/** What makes the access token of a login work in debug mode. */
function socketlessGrant(session: SessionDocument, service: ServiceName, { accessToken }: TokenPair): GrantDocument {
  const { _id: sessionId, accountId, createdAt, purgeAt } = session;
  return { _id: digestOf(accessToken).toString("hex"), service, accountId, sessionId, generation: 1, createdAt, purgeAt };
}
