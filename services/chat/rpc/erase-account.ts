import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { EraseAccountRequest, EraseAccountResponse } from "../../../proto/gen/sallyport/chat/v1/erasure.ts";
import type { ChatContext } from "../context.ts";
import { eraseAccount as erase } from "../erasure.ts";

/** Removes what there is of an account that the account service has deleted. */
export function eraseAccount(context: ChatContext): Handler<EraseAccountRequest, EraseAccountResponse> {
  return async ({ accountId }) => {
    await erase(context, parseUuid(accountId));
    return {};
  };
}
