import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { LogoutEverywhereRequest, LogoutEverywhereResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { AccountContext } from "../context.ts";
import { endSession, endSessions } from "../ending.ts";

/** AccountService.LogoutEverywhere. The calling session ends last: while it lives, a call that failed half-way can be made again. */
export function logoutEverywhere(context: AccountContext): Handler<LogoutEverywhereRequest, LogoutEverywhereResponse> {
  return async (_request, call) => {
    const { sessionId, accountId } = callerOf(call);
    const { address, deadline } = call;
    const ending = { accountId, reason: "logout", address, deadline } as const;

    await endSessions(context, ending, sessionId);
    await endSession(context, sessionId, ending);

    return {};
  };
}
