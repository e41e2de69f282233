import { parseUuid } from "../../../platform/ids.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { UnblockAccountRequest, UnblockAccountResponse } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { ChatContext } from "../context.ts";

/** Takes the messages of an account again; of one that was not blocked nothing changes. */
export function unblockAccount({ blocks }: ChatContext): Handler<UnblockAccountRequest, UnblockAccountResponse> {
  return async ({ accountId }, call) => {
    await blocks.remove(callerOf(call).accountId, parseUuid(accountId));
    return {};
  };
}
