import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { ListBlockedAccountsRequest, ListBlockedAccountsResponse } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { ChatContext } from "../context.ts";

/** The accounts whose messages the caller refuses, sorted. */
export function listBlockedAccounts({ blocks }: ChatContext): Handler<ListBlockedAccountsRequest, ListBlockedAccountsResponse> {
  return async (_request, call) => {
    const accountIds = await blocks.list(callerOf(call).accountId);
    return { accountIds: [...accountIds] };
  };
}
