import type { Event } from "../../../proto/gen/sallyport/gateway/v1/events.ts";
import type { Presence } from "../store/presence.ts";
import type { Delivery } from "./custody.ts";
import type { Inboxes } from "./inboxes.ts";

/** Tells senders that a message was delivered: at most once, to the socket that has their events, if it can be reached from here. */
export function createAnnouncer(inboxes: Inboxes, presence: Presence): (deliveries: readonly Delivery[]) => void {
  const announce = async (delivery: Delivery): Promise<void> => {
    const current = inboxes.find(delivery.senderId)?.state.current;
    if (current !== undefined) {
      current.gateway.push(current.connection, current.epoch, toEvent(delivery));
      return;
    }
    // Not stored: where the presence cannot be asked, nobody is told.
    const holder = await presence.find(delivery.senderId).catch(() => undefined);
    const gateway = holder && inboxes.gateway(holder.incarnation);
    gateway?.push(holder?.connection ?? 0, holder?.epoch ?? 0, toEvent(delivery));
  };
  return (deliveries) => {
    for (const delivery of deliveries) {
      void announce(delivery);
    }
  };
}

function toEvent({ messageId, clientMessageId, recipientId, deliveredAt }: Delivery): Event {
  const value = { messageId, clientMessageId, recipientAccountId: recipientId, deliveredAt: new Date(deliveredAt) };
  return { kind: { $case: "delivered", value } };
}
