import type { Clock } from "../../../platform/clock.ts";
import type { Inboxes } from "./inboxes.ts";

/** A gateway gives an attachment up long before. */
const LAPSE_MS = 30_000;

/**
 * Drops sockets that were attached and are never activated: their gateway has given them up without knowing their epoch. Call it every few
 * seconds.
 */
export function createLapsing(inboxes: Inboxes, now: Clock): () => void {
  let seen: ReadonlyMap<string, number> = new Map();
  return () => {
    const at = now();
    const young = new Map<string, number>();
    for (const { inbox, candidate } of inboxes.candidates()) {
      const { gateway, connection, epoch } = candidate;
      const name = `${inbox.accountId}:${epoch}`;
      const since = seen.get(name) ?? at;
      if (at - since < LAPSE_MS) {
        young.set(name, since);
      } else {
        inbox.handle({ kind: "detached", incarnation: gateway.incarnation, connection, epoch });
      }
    }
    seen = young;
  };
}
