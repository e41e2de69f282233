import type { Message } from "../proto/gen/sallyport/chat/v1/chat.ts";
import type { Delivered, Event } from "../proto/gen/sallyport/gateway/v1/events.ts";

/** The proto3 JSON of an event (https://protobuf.dev/programming-guides/json/): fields with default values are left out. */
export function eventText({ kind }: Event): string {
  switch (kind?.$case) {
    case "message":
      return JSON.stringify({ message: messageJson(kind.value) });
    case "queueEmpty":
      return '{"queueEmpty":{}}';
    case "delivered":
      return JSON.stringify({ delivered: deliveredJson(kind.value) });
    case "displaced":
      return '{"displaced":{}}';
    case "draining":
      return JSON.stringify({ draining: { reconnectAfterMs: kind.value.reconnectAfterMs || undefined } });
    case undefined:
      return "{}";
  }
}

function messageJson({ id, clientMessageId, senderAccountId, sentAt, body, receipt }: Message): Record<string, string | undefined> {
  return {
    id: id || undefined,
    clientMessageId: clientMessageId || undefined,
    senderAccountId: senderAccountId || undefined,
    sentAt: timestampText(sentAt),
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("base64") || undefined,
    receipt: receipt || undefined,
  };
}

function deliveredJson({ messageId, clientMessageId, recipientAccountId, deliveredAt }: Delivered): Record<string, string | undefined> {
  return {
    messageId: messageId || undefined,
    clientMessageId: clientMessageId || undefined,
    recipientAccountId: recipientAccountId || undefined,
    deliveredAt: timestampText(deliveredAt),
  };
}

/** RFC 3339 with no fraction, or with three digits. */
function timestampText(date: Date | undefined): string | undefined {
  return date?.toISOString().replace(".000Z", "Z");
}
