import { parseUuid } from "../../../platform/ids.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import { type SendMessageRequest, type SendMessageResponse, State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { ChatContext } from "../context.ts";

/** To its sender, a message of a deleted account looks like one that nobody took. */
const STATES = { stored: State.STORED, delivered: State.DELIVERED, expired: State.EXPIRED, deleted: State.EXPIRED } as const;

/** Accepts a message; a repeat is answered as the first was. */
export function sendMessage({ sending, receipts, events }: ChatContext): Handler<SendMessageRequest, SendMessageResponse> {
  return async ({ recipientAccountId, clientMessageId, body }, call) => {
    const { message, accepted } = await sending.send({
      senderId: callerOf(call).accountId,
      recipientId: parseUuid(recipientAccountId),
      clientMessageId: parseUuid(clientMessageId),
      // A copy: the request is a view of a batch that carries other calls too.
      body: Buffer.from(body),
      deadline: call.deadline,
    });

    const receipt = await receipts.receiptOf(message, accepted);
    events.sendAnswered(accepted.state);
    return { messageId: message.id, sentAt: new Date(accepted.acceptedAt), receipt, state: STATES[accepted.state] };
  };
}
