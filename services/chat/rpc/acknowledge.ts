import { parseUuid } from "../../../platform/ids.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { AcknowledgeRequest, AcknowledgeResponse } from "../../../proto/gen/sallyport/chat/v1/delivery.ts";
import type { ChatContext } from "../context.ts";

/** A socket of the account says that it has kept these. */
export function acknowledge({ inboxes }: ChatContext): Handler<AcknowledgeRequest, AcknowledgeResponse> {
  return async ({ messageIds }, call) => {
    await inboxes.of(callerOf(call).accountId).acknowledge(messageIds.map(parseUuid));
    return {};
  };
}
