import { type SallyportError, unavailable } from "../../../../../platform/errors.ts";
import type { GatewayPeer } from "../../../../../platform/rpc/call.ts";
import { stepInbox } from "../../../../../services/chat/delivery/inbox.ts";
import { type Effect, EMPTY_INBOX, type InboxState, type Input } from "../../../../../services/chat/delivery/inbox-state.ts";
import type { Accepted, ChatMessage } from "../../../../../services/chat/delivery/message.ts";

/** That the database could not be asked. */
export const OUTAGE: SallyportError = unavailable("the database cannot be asked", "DATABASE_UNAVAILABLE");

/** A gateway that only has a name. */
export function gatewayNamed(incarnation: string): GatewayPeer {
  return { incarnation, push: () => undefined, wake: () => undefined, wakeAt: () => undefined, revoke: () => undefined };
}

/** The gateway that sockets are on unless said otherwise. */
export const GATEWAY: GatewayPeer = gatewayNamed("g1");

/** A message whose id is its name. */
export function messageNamed(id: string, order: number, size = 1): ChatMessage {
  const ids = { id, recipientId: "r", senderId: "s", clientMessageId: id };
  return { ...ids, order, body: Buffer.alloc(size), receiptKid: "k", receipt: "" };
}

/** What the database says of a message that it keeps. */
export function acceptedAs(state: Accepted["state"]): Accepted {
  return { state, acceptedAt: 1, receiptKid: "k" };
}

/** Plays inputs on an inbox; answers the state and, in short, the effects of the last one. */
export function play(...inputs: readonly Input[]): { state: InboxState; effects: readonly Effect[]; short: readonly string[] } {
  let state = EMPTY_INBOX;
  let effects: readonly Effect[] = [];
  for (const input of inputs) {
    [state, effects] = stepInbox(state, input);
  }
  return { state, effects, short: effects.map(inShort) };
}

/** The inputs that attach and activate a socket whose queue is empty. */
export function drained(epoch = 1, connection: number = epoch, gateway: GatewayPeer = GATEWAY): readonly Input[] {
  return [...activated(epoch, connection, gateway), { kind: "pageRead", epoch, messages: [], exhausted: true }];
}

/** The inputs that attach and activate a socket. */
export function activated(
  epoch = 1,
  connection: number = epoch,
  gateway: GatewayPeer = GATEWAY,
  inFlight: readonly string[] = [],
): readonly Input[] {
  return [
    { kind: "attached", gateway, connection, epoch, inFlight, queueEmptied: inFlight.length > 0 },
    { kind: "activated", epoch, mark: 0 },
  ];
}

/** The input that offers a message. */
export function offered(id: string, order = 1, size = 1): Input {
  return { kind: "offered", message: messageNamed(id, order, size) };
}

function inShort(effect: Effect): string {
  switch (effect.kind) {
    case "push":
      return `push ${effect.message.id} to ${effect.to.epoch}`;
    case "pushQueueEmpty":
      return `queueEmpty to ${effect.to.epoch}`;
    case "pushDisplaced":
      return `displaced to ${effect.to.epoch}`;
    case "store":
    case "record":
      return `${effect.kind} ${effect.message.id}`;
    case "linger":
      return `linger ${effect.id}`;
    case "answer":
      return `answer ${effect.id} ${effect.accepted.state}`;
    case "refuse":
      return `refuse ${effect.id}${effect.pushed ? " after a push" : ""}`;
    case "read":
      return `read ${effect.maxMessages} of ${effect.maxBytes} without [${effect.exclude.join()}]`;
    case "wakeLater":
      return "wakeLater";
    case "forget":
    case "retryLater":
    case "confirm":
    case "disappoint":
      return `${effect.kind} ${effect.ids.join()}`;
  }
}
