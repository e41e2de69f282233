import { fromBase64 } from "./base64.ts";
import type { Ending } from "./lifecycle.ts";

/** A message as its recipient gets it. */
export interface ReceivedMessage {
  /** The same each time that it is sent. */
  readonly id: string;
  readonly clientMessageId: string;
  readonly senderAccountId: string;
  readonly sentAt: Date;
  readonly body: Uint8Array;
  /** A compact JWS: what a report of the message needs. */
  readonly receipt: string;
}

/** What a server pushes. */
export type ServerEvent =
  | { readonly type: "message"; readonly message: ReceivedMessage }
  | { readonly type: "queueEmpty" }
  | Delivered
  | { readonly type: "displaced" }
  | { readonly type: "draining"; readonly reconnectAfterMs: number };

/** The recipient acknowledged a message of this account. At most once: who was away asks getMessageStates. */
export interface Delivered {
  readonly type: "delivered";
  readonly messageId: string;
  readonly clientMessageId: string;
  readonly recipientAccountId: string;
  readonly deliveredAt: Date;
}

/** What an app hears of besides messages: the server's events, and how the connection fares. */
export type ConnectionEvent =
  | Exclude<ServerEvent, { type: "message" }>
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly reconnectInMs: number; readonly cause: unknown }
  | { readonly type: "ended"; readonly ending: Ending };

type Fields = Readonly<Record<string, unknown>>;

/** Reads a Text frame: the proto3 JSON of sallyport.gateway.v1.Event. Undefined when it is of a kind that this version does not know. */
export function parseEvent(text: string): ServerEvent | undefined {
  try {
    const [[kind, value] = []] = Object.entries(JSON.parse(text) as Record<string, Fields>);
    return kind !== undefined && value !== undefined ? READERS.get(kind)?.(value) : undefined;
  } catch {
    return undefined;
  }
}

/** Fields that have their type's default are left out of proto3 JSON. */
const READERS: ReadonlyMap<string, (fields: Fields) => ServerEvent> = new Map<string, (fields: Fields) => ServerEvent>([
  ["message", (fields) => ({ type: "message", message: readMessage(fields) })],
  ["queueEmpty", () => ({ type: "queueEmpty" })],
  ["delivered", readDelivered],
  ["displaced", () => ({ type: "displaced" })],
  ["draining", (fields) => ({ type: "draining", reconnectAfterMs: Number(fields["reconnectAfterMs"] ?? 0) })],
]);

function readDelivered(fields: Fields): Delivered {
  return {
    type: "delivered",
    messageId: string(fields, "messageId"),
    clientMessageId: string(fields, "clientMessageId"),
    recipientAccountId: string(fields, "recipientAccountId"),
    deliveredAt: new Date(string(fields, "deliveredAt")),
  };
}

function readMessage(fields: Fields): ReceivedMessage {
  return {
    id: string(fields, "id"),
    clientMessageId: string(fields, "clientMessageId"),
    senderAccountId: string(fields, "senderAccountId"),
    sentAt: new Date(string(fields, "sentAt")),
    body: fromBase64(string(fields, "body")),
    receipt: string(fields, "receipt"),
  };
}

function string(fields: Fields, name: string): string {
  const value = fields[name] ?? "";
  if (typeof value !== "string") {
    throw new TypeError(`${name} is no text`);
  }
  return value;
}
