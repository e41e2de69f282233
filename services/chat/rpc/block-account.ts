import { parseUuid } from "../../../platform/ids.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { BlockAccountRequest, BlockAccountResponse } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { ChatContext } from "../context.ts";

/** Refuses further messages of an account, whether it exists or not. */
export function blockAccount({ blocks }: ChatContext): Handler<BlockAccountRequest, BlockAccountResponse> {
  return async ({ accountId }, call) => {
    await blocks.add(callerOf(call).accountId, parseUuid(accountId));
    return {};
  };
}
