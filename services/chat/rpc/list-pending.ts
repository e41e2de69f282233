import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { ListPendingRequest, ListPendingResponse } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { ChatContext } from "../context.ts";
import { toWire } from "../delivery/message.ts";

const MAX_MESSAGES = 256;
const MAX_BYTES = 1_048_576;

/** What waits for the caller, oldest first. */
export function listPending({ custody }: ChatContext): Handler<ListPendingRequest, ListPendingResponse> {
  return async ({ pageSize }, call) => {
    const page = { exclude: [], maxMessages: pageSize || MAX_MESSAGES, maxBytes: MAX_BYTES };
    const { messages } = await custody.read(callerOf(call).accountId, page);

    return { messages: messages.map(toWire) };
  };
}
