import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { LogoutEverywhereRequest, LogoutEverywhereResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { AccountContext } from "../context.ts";
import { endSession, tellGateways } from "../ending.ts";

/** AccountService.LogoutEverywhere. The calling session ends last: while it lives, a call that failed half-way can be made again. */
export function logoutEverywhere(context: AccountContext): Handler<LogoutEverywhereRequest, LogoutEverywhereResponse> {
  return async (_request, call) => {
    const { sessionId, accountId } = callerOf(call);

    tellGateways(context, accountId, await context.revocations.endOthers(sessionId, accountId, call.deadline));
    await endSession(context, sessionId, accountId, call.deadline);

    return {};
  };
}
