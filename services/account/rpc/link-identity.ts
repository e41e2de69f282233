import { SallyportError } from "../../../platform/errors.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { LinkIdentityRequest, LinkIdentityResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import { accountNotFound } from "../closing.ts";
import type { AccountContext } from "../context.ts";

/** Both logins, the session's and the new identity's, are at most this old. */
const FRESH_MS = 600_000;

/** AccountService.LinkIdentity. An identity that is linked already stays so: OK. */
export function linkIdentity(context: AccountContext): Handler<LinkIdentityRequest, LinkIdentityResponse> {
  return async ({ oidc }, call) => {
    const { accountId, sessionId } = callerOf(call);
    const session = await context.sessions.find(sessionId);
    const { issuer, subject, loggedInAt } = await context.identityProviders.verify(oidc ?? { provider: "", idToken: "", nonce: "" });
    if (session === null || !isFresh(session.createdAt, session.now) || !isFresh(loggedInAt, session.now)) {
      throw new SallyportError("FAILED_PRECONDITION", "both logins must be fresh", { reason: "FRESH_LOGIN_REQUIRED" });
    }

    switch (await context.accounts.link(accountId, { issuer, subject })) {
      case "taken":
        throw new SallyportError("ALREADY_EXISTS", "the identity is another account's", { reason: "IDENTITY_TAKEN" });
      case "full":
        throw new SallyportError("RESOURCE_EXHAUSTED", "the account has as many identities as it may", { reason: "TOO_MANY_IDENTITIES" });
      case "gone":
        throw accountNotFound();
      case "linked":
        context.events.identityLinked(accountId);
    }

    return {};
  };
}

function isFresh(loggedInAt: Date, now: Date): boolean {
  return now.getTime() - loggedInAt.getTime() <= FRESH_MS;
}
