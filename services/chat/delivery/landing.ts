import type { Inbox } from "../store/inbox.ts";
import type { InboxActor } from "./inbox-actor.ts";
import { unaccountedOn } from "./inbox-state.ts";

/**
 * Frees the room of what is in flight on a socket but waits no longer, as the database says: it was acknowledged where neither
 * the gateway nor this copy saw it. Too much is never wrong: a gateway passes over a second push on one socket.
 */
export async function landGone(actor: InboxActor, epoch: number, inbox: Inbox): Promise<void> {
  const { accountId: recipientId } = actor;
  const inFlight = unaccountedOn(actor.state, epoch);
  if (inFlight.length === 0) {
    return;
  }
  const headings = await inbox.findHeadings(inFlight.map((id) => ({ recipientId, id })));
  const waiting = new Set(headings.map(({ _id }) => _id));
  const ids = inFlight.filter((id) => !waiting.has(id));
  if (ids.length > 0) {
    actor.handle({ kind: "gone", epoch, ids });
  }
}
