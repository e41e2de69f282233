import { SallyportError, unavailable } from "../../../platform/errors.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { CheckAccessTokenRequest, CheckAccessTokenResponse } from "../../../proto/gen/sallyport/account/v1/token.ts";
import type { AccountContext } from "../context.ts";
import { parseServiceName } from "../service-name.ts";
import type { SessionReading } from "../store/sessions.ts";
import { type Grant, judgeGrant, type Verdict } from "../tokens/access-token.ts";
import { digestOf } from "../tokens/refresh-token.ts";

/** TokenService.CheckAccessToken. */
export function checkAccessToken(context: AccountContext): Handler<CheckAccessTokenRequest, CheckAccessTokenResponse> {
  return async (request) => {
    const service = parseServiceName(request.service);
    if (!(await context.keys.made(request.accessToken))) {
      throw accessTokenRefused();
    }
    const grant = await context.grants.find(digestOf(request.accessToken).toString("hex"));
    if (grant === null) {
      throw accessTokenRefused();
    }
    // Before the lease is read: gateways may have renewed since.
    const { isSettling } = context.leaseWatch;
    const [session, standing, isLeaseHeld] = await Promise.all([
      context.sessions.find(grant.sessionId),
      context.accounts.standing(grant.accountId),
      isHeld(context, grant),
    ]);

    const isSessionLive = session?.isLive === true && standing === "open";
    const showing = { service, address: request.address, isSessionLive, isLeaseHeld, isSettling };
    refuseUnlessValid(judgeGrant(grant, { ...showing, debug: context.config.debug }));
    await confirm(context, grant, session);

    return { accountId: grant.accountId, sessionId: grant.sessionId };
  };
}

async function isHeld({ leases, config }: AccountContext, { socket }: Grant): Promise<boolean> {
  return !config.debug && socket !== undefined && (await leases.isHeld(socket.incarnation));
}

/** A call with the access token shows that the client holds the refresh token that was minted with it. */
async function confirm(
  { sessions }: AccountContext,
  { sessionId, service, generation }: Grant,
  session: SessionReading | null,
): Promise<void> {
  if (session?.families[service].next?.generation === generation) {
    await sessions.confirm({ sessionId, service, generation });
  }
}

function refuseUnlessValid(verdict: Verdict): void {
  switch (verdict) {
    case "valid":
      return;
    case "refused":
      throw accessTokenRefused();
    case "otherService":
      throw new SallyportError("PERMISSION_DENIED", "the access token is of another service", { reason: "ACCESS_TOKEN_OF_OTHER_SERVICE" });
    case "unsettled":
      throw unavailable("it is not known yet whether the socket of the access token is open", "LEASES_UNSETTLED");
  }
}

function accessTokenRefused(): SallyportError {
  return new SallyportError("UNAUTHENTICATED", "the access token is not valid", { reason: "ACCESS_TOKEN_REFUSED" });
}
