import type { Message } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { Event } from "../../../proto/gen/sallyport/gateway/v1/events.ts";
import { acceptedAtOf } from "./hybrid-clock.ts";

/** A message on its way. All ids are UUIDs in lower case. */
export interface ChatMessage {
  readonly id: string;
  readonly recipientId: string;
  readonly senderId: string;
  readonly clientMessageId: string;
  /** Its place in the inbox, by the hybrid clock; holds the time at which it was accepted. */
  readonly order: number;
  readonly body: Buffer;
  /** The key that signs its receipt. */
  readonly receiptKid: string;
  readonly receipt: string;
}

/** What was decided about a message for good, and where it is. */
export interface Accepted {
  readonly state: "stored" | "delivered" | "expired" | "deleted";
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number;
  readonly receiptKid: string;
}

/** The message as its recipient gets it. */
export function toWire({ id, clientMessageId, senderId, order, body, receipt }: ChatMessage): Message {
  return { id, clientMessageId, senderAccountId: senderId, sentAt: new Date(acceptedAtOf(order)), body, receipt };
}

/** The event that brings a message. */
export function messageEvent(message: ChatMessage): Event {
  return { kind: { $case: "message", value: toWire(message) } };
}
