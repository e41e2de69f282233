import { parseUuid } from "../../../platform/ids.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { AckMessagesRequest, AckMessagesResponse } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { AcknowledgeRequest, AcknowledgeResponse } from "../../../proto/gen/sallyport/chat/v1/delivery.ts";
import type { ChatContext } from "../context.ts";

type Request = AckMessagesRequest & AcknowledgeRequest;
type Response = AckMessagesResponse & AcknowledgeResponse;

/** The caller has kept these, says one of its sockets (Acknowledge) or a call (AckMessages). Only its own inbox is touched. */
export function acknowledge({ inboxes, wakes }: ChatContext): Handler<Request, Response> {
  return async ({ messageIds }, call) => {
    const inbox = inboxes.of(callerOf(call).accountId);
    await inbox.acknowledge(messageIds.map(parseUuid));

    if (inbox.state.current === undefined && messageIds.length > 0) {
      // The copy that delivers has room for others.
      void wakes.send(inbox);
    }
    return {};
  };
}
