import { isKnown } from "../../services/chat/delivery/inbox-state.ts";
import type { ChatCopy } from "./chat-copy.ts";
import type { Task } from "./timeline.ts";

const LAPSE_MS = 30_000;

/** As services/chat/delivery/lost-wakes.ts: finds what nobody was told of. */
export function* healOnce(chat: ChatCopy): Task<void> {
  const actors = chat.attached();
  const drained = actors.filter(({ state }) => state.current?.backlog.kind === "drained");
  if (drained.length > 0) {
    const byId = new Map(drained.map((actor) => [actor.accountId, actor]));
    for (const { recipientId, id } of yield* chat.store.findKeys([...byId.keys()])) {
      const actor = byId.get(recipientId);
      if (actor !== undefined && !isKnown(actor.state, id)) {
        actor.handle({ kind: "woken" });
      }
    }
  }
  if (actors.length > 0) {
    yield* dropOutdated(
      chat,
      actors.map(({ accountId }) => accountId),
    );
  }
}

/** As services/chat/delivery/lapsing.ts: drops what was attached and is never activated. Answers since when what is left was seen. */
export function lapseOnce(chat: ChatCopy, seen: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const { now } = chat.world.timeline;
  const young = new Map<string, number>();
  for (const actor of chat.awaiting()) {
    for (const { gateway, connection, epoch } of [...actor.state.candidates.values()]) {
      const name = `${actor.accountId}:${epoch}`;
      const since = seen.get(name) ?? now;
      if (now - since < LAPSE_MS) {
        young.set(name, since);
      } else {
        actor.handle({ kind: "detached", incarnation: gateway.incarnation, connection, epoch });
      }
    }
  }
  return young;
}

function* dropOutdated(chat: ChatCopy, accountIds: readonly string[]): Task<void> {
  for (const [accountId, heir] of yield* chat.presence.findAll(accountIds)) {
    const actor = chat.find(accountId);
    const epoch = actor?.state.current?.epoch;
    if (actor !== undefined && epoch !== undefined && heir.epoch > epoch) {
      actor.outdateInTurn(epoch, heir);
    }
  }
}
