import { SallyportError } from "../../../platform/errors.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { GetAccountRequest, GetAccountResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { AccountContext } from "../context.ts";

/** AccountService.GetAccount. */
export function getAccount({ accounts }: AccountContext): Handler<GetAccountRequest, GetAccountResponse> {
  return async (_request, call) => {
    const { accountId } = callerOf(call);

    const account = await accounts.find(accountId);
    if (account === null) {
      throw new SallyportError("NOT_FOUND", "there is no such account", { reason: "ACCOUNT_NOT_FOUND" });
    }

    return { accountId, createdAt: account.createdAt };
  };
}
