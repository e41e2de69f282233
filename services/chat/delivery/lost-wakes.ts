import type { Inbox } from "../store/inbox.ts";
import type { Presence } from "../store/presence.ts";
import type { InboxActor } from "./inbox-actor.ts";
import { isKnown } from "./inbox-state.ts";
import type { Inboxes } from "./inboxes.ts";
import { landGone } from "./landing.ts";
import { MAX_IN_FLIGHT } from "./page.ts";
import type { Unreadable } from "./unreadable.ts";

/** All attached inboxes are looked through in so many parts, one after the other. */
export const HEALING_PARTS = 20;
const CHUNK = 250;

/** What is looked through. */
export interface Healed {
  readonly inboxes: Inboxes;
  readonly inbox: Inbox;
  readonly presence: Presence;
  readonly unreadable: Pick<Unreadable, "size">;
}

/**
 * Finds what nobody was told of: messages that another copy stored or ended, sockets that have the events elsewhere. Each call looks through
 * the next part of the inboxes: repeat it so that all parts take a few seconds.
 */
export function createHealing({ inboxes, inbox, presence, unreadable }: Healed): () => Promise<void> {
  let attached: readonly InboxActor[] = [];
  let part = 0;
  return async () => {
    if (part === 0) {
      attached = inboxes.attached().map((one) => one.inbox);
    }
    const actors = attached.slice(boundOf(part, attached.length), boundOf(part + 1, attached.length));
    part = (part + 1) % HEALING_PARTS;
    for (let start = 0; start < actors.length; start += CHUNK) {
      const chunk = actors.slice(start, start + CHUNK);
      await landWhereFull(chunk, inbox);
      await wakeThoseWithNews(chunk, inbox, unreadable.size);
      await dropOutdated(chunk, presence);
    }
  };
}

function boundOf(part: number, total: number): number {
  return Math.floor((part * total) / HEALING_PARTS);
}

async function landWhereFull(actors: readonly InboxActor[], inbox: Inbox): Promise<void> {
  for (const actor of actors) {
    const { current } = actor.state;
    if (current !== undefined && current.inFlight.size >= MAX_IN_FLIGHT) {
      await landGone(actor, current.epoch, inbox);
    }
  }
}

async function wakeThoseWithNews(actors: readonly InboxActor[], inbox: Inbox, unreadable: number): Promise<void> {
  const drained = actors.filter(({ state }) => state.current?.backlog.kind === "drained");
  if (drained.length === 0) {
    return;
  }
  const byId = new Map(drained.map((actor) => [actor.accountId, actor]));
  // All that is known or cannot be brought, and one more: if there is news, at least one is found.
  const limit = drained.reduce((total, { state }) => total + (state.current?.inFlight.size ?? 0) + state.entries.size + 1, unreadable);
  for (const { recipientId, id } of await inbox.findKeys([...byId.keys()], limit)) {
    const actor = byId.get(recipientId);
    if (actor !== undefined && !isKnown(actor.state, id)) {
      actor.handle({ kind: "woken" });
    }
  }
}

async function dropOutdated(actors: readonly InboxActor[], presence: Presence): Promise<void> {
  const holders = await presence.findAll(actors.map(({ accountId }) => accountId));
  for (const actor of actors) {
    const heir = holders.get(actor.accountId);
    if (heir !== undefined) {
      actor.outdate(heir);
    }
  }
}
