import { parseUuid } from "../../../platform/ids.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { RevokeSessionRequest, RevokeSessionResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { AccountContext } from "../context.ts";
import { endSession } from "../ending.ts";

/** AccountService.RevokeSession. A session that has ended already stays ended: OK. */
export function revokeSession(context: AccountContext): Handler<RevokeSessionRequest, RevokeSessionResponse> {
  return async (request, call) => {
    const sessionId = parseUuid(request.sessionId);
    const { accountId } = callerOf(call);
    const { address, deadline } = call;

    await endSession(context, sessionId, { accountId, reason: "logout", address, deadline });

    return {};
  };
}
