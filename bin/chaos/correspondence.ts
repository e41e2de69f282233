import { createHash, randomUUID } from "node:crypto";
import { MessageState, State } from "../../proto/gen/sallyport/chat/v1/chat.ts";
import { CALL_MS } from "./asking.ts";
import type { IntendedMessage, StatedState } from "./ledger.ts";
import type { Person } from "./person.ts";

/** What one call may ask after. */
const STATES_AT_ONCE = 256;

const STATED: Readonly<Record<MessageState, StatedState>> = {
  [MessageState.UNSPECIFIED]: "unknown",
  [MessageState.PENDING]: "pending",
  [MessageState.DELIVERED]: "delivered",
  [MessageState.EXPIRED]: "expired",
  [MessageState.UNKNOWN]: "unknown",
};

/** Sends a message and repeats it until it is answered, accepted or refused for good; gives up when the signal aborts. */
export async function write(sender: Person, recipientId: string, bytes: number, signal: AbortSignal): Promise<void> {
  const { ledger } = sender.world;
  const message = compose(sender.accountId, recipientId, bytes);
  const request = { recipientAccountId: recipientId, clientMessageId: message.clientMessageId, body: message.body };
  ledger.intend(message);
  while (!signal.aborted) {
    const asked = await sender.call("SendMessage", (chat) => chat.sendMessage(request, { timeoutMs: CALL_MS }), signal);
    if (asked?.kind === "answered") {
      const { messageId, sentAt, receipt, state } = asked.answer;
      ledger.accept(message, { messageId, sentAt, receipt, isDelivered: state === State.DELIVERED });
      return;
    }
    if (asked?.kind === "refused") {
      ledger.refuse(message, asked.failure);
      return;
    }
  }
}

/** Asks what has become of messages, and writes down what is answered. */
export async function askAfter(sender: Person, clientMessageIds: readonly string[], signal: AbortSignal): Promise<void> {
  const { ledger } = sender.world;
  for (let start = 0; start < clientMessageIds.length; start += STATES_AT_ONCE) {
    const page = clientMessageIds.slice(start, start + STATES_AT_ONCE);
    const asked = await sender.call(
      "GetMessageStates",
      (chat) => chat.getMessageStates({ clientMessageIds: page }, { timeoutMs: CALL_MS }),
      signal,
    );
    if (asked?.kind === "answered") {
      for (const { clientMessageId, state } of asked.answer.states) {
        ledger.state({ senderId: sender.accountId, clientMessageId }, STATED[state]);
      }
    } else if (asked?.kind === "refused") {
      ledger.fail(asked.failure);
    }
  }
}

/** Takes what is pending over HTTP and acknowledges it, without events. Answers whether nothing was left; undefined when nobody could be asked, or in vain. */
export async function fetchPending(recipient: Person, signal: AbortSignal): Promise<boolean | undefined> {
  const { ledger } = recipient.world;
  const way = ledger.beginWay();
  const listed = await recipient.call(
    "ListPending",
    (chat) => chat.listPending({ pageSize: 0 }, { via: "http", timeoutMs: CALL_MS }),
    signal,
  );
  if (listed?.kind !== "answered") {
    if (listed?.kind === "refused") {
      ledger.fail(listed.failure);
    }
    return undefined;
  }
  const { messages } = listed.answer;
  for (const message of messages) {
    ledger.receive(recipient.accountId, way, { ...message, sentAt: message.sentAt ?? new Date(Number.NaN) });
  }
  if (messages.length === 0) {
    return true;
  }
  const messageIds = messages.map(({ id }) => id);
  const acked = await recipient.call(
    "AckMessages",
    (chat) => chat.ackMessages({ messageIds }, { via: "http", timeoutMs: CALL_MS }),
    signal,
  );
  if (acked?.kind === "answered") {
    for (const { senderAccountId, clientMessageId } of messages) {
      ledger.deliver({ senderId: senderAccountId, clientMessageId });
    }
  } else if (acked?.kind === "refused") {
    ledger.fail(acked.failure);
  }
  return false;
}

/** A body that is as long as asked for, and no other message's. */
function compose(senderId: string, recipientId: string, bytes: number): IntendedMessage {
  const clientMessageId = randomUUID();
  const digest = createHash("sha256").update(clientMessageId).digest();
  return { senderId, recipientId, clientMessageId, body: Buffer.alloc(bytes, digest) };
}
