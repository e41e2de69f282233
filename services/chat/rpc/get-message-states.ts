import { parseUuid } from "../../../platform/ids.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import { type GetMessageStatesRequest, type GetMessageStatesResponse, MessageState } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { ChatContext } from "../context.ts";
import { messageIdOf } from "../delivery/sending.ts";

/** To its sender, a message of a deleted account looks like one that nobody took. */
const STATES = {
  pending: MessageState.PENDING,
  delivered: MessageState.DELIVERED,
  expired: MessageState.EXPIRED,
  deleted: MessageState.EXPIRED,
} as const;

/** What became of messages that the caller sent, in the order asked for, each under the id as it was asked for. */
export function getMessageStates({ sends }: ChatContext): Handler<GetMessageStatesRequest, GetMessageStatesResponse> {
  return async ({ clientMessageIds }, call) => {
    const { accountId } = callerOf(call);
    const ids = clientMessageIds.map((id) => messageIdOf(accountId, parseUuid(id)));

    const found = await sends.findAll([...new Set(ids)]);

    const stateOf = (id: string): MessageState => {
      const state = found.get(id)?.state;
      return state === undefined ? MessageState.UNKNOWN : STATES[state];
    };
    return { states: clientMessageIds.map((clientMessageId, index) => ({ clientMessageId, state: stateOf(ids[index] ?? "") })) };
  };
}
