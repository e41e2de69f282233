import { parseUuid } from "../../../platform/ids.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { AckMessagesRequest, AckMessagesResponse } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { ChatContext } from "../context.ts";

/** The caller has kept these. Only its own inbox is touched. */
export function ackMessages({ inboxes }: ChatContext): Handler<AckMessagesRequest, AckMessagesResponse> {
  return async ({ messageIds }, call) => {
    await inboxes.of(callerOf(call).accountId).acknowledge(messageIds.map(parseUuid));
    return {};
  };
}
