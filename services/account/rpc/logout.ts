import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { LogoutRequest, LogoutResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { AccountContext } from "../context.ts";
import { endSession } from "../ending.ts";

/** AccountService.Logout. */
export function logout(context: AccountContext): Handler<LogoutRequest, LogoutResponse> {
  return async (_request, call) => {
    const { sessionId, accountId } = callerOf(call);
    const { address, deadline } = call;

    await endSession(context, sessionId, { accountId, reason: "logout", address, deadline });

    return {};
  };
}
