import { setTimeout as sleep } from "node:timers/promises";
import type { AccessChecks } from "./access.ts";
import type { Connection } from "./connection.ts";
import type { GatewayEvents } from "./events.ts";
import type { Hub } from "./hub.ts";
import type { Leases } from "./leases.ts";
import type { Copy, CopyListener } from "./relay.ts";
import type { RevocationLog } from "./revocations.ts";

/** What the streams from the services act on. */
export interface RelayEventParts {
  readonly hub: Hub;
  readonly access: AccessChecks;
  readonly leases: Leases;
  readonly events: GatewayEvents;
  readonly revocations: () => RevocationLog;
}

/** Sockets that attach elsewhere at a time, when a chat copy has come or is about to go. */
const MOVED_AT_ONCE = 200;
/** How much later the next ones attach when a copy is lost. They wait for no others: one of these may be on its way to another copy that hangs. */
const LOST_EVERY_MS = 20;

/** What a gateway does with what its relay streams bring. */
export function listenToRelays(parts: RelayEventParts): CopyListener {
  const { hub, events } = parts;
  return {
    connected: (copy) => {
      events.copyConnected(copy.service, copy.relay.target);
      void join(parts, copy);
    },
    disconnected: (copy) => {
      // A gateway that stops closes its streams itself.
      if (!hub.isDraining) {
        events.copyLost(copy.service, copy.relay.target);
      }
      if (copy.service === "chat") {
        void loseInTurns(hub, copy);
      }
    },
    leaving: async (copy) => {
      events.copyLeaving(copy.service, copy.relay.target);
      if (copy.service === "chat") {
        await inTurns(hub, copy, (connection) => connection.copyLeaving(copy));
      }
    },
    silent: (copy) => events.copySilent(copy.service, copy.relay.target),
    unreachable: (copy, error) => events.copyUnreachable(copy.service, copy.relay.target, error),
    unresolved: (service, name, error) => events.copiesUnresolved(service, name, error),
    pushed: (push) => hub.find(push.connection)?.pushed(push),
    revoked: (sessionId) => endSession(parts, sessionId),
    woken: (connection) => hub.find(connection)?.woken(),
  };
}

/** A session has ended: its sockets are closed, its access tokens asked for again. Repeating it is fine. */
export function endSession({ access, hub, events }: Pick<RelayEventParts, "access" | "hub" | "events">, sessionId: string): void {
  access.forgetSession(sessionId);
  const sockets = hub.revoke(sessionId);
  if (sockets > 0) {
    events.sessionRevoked(sessionId, sockets);
  }
}

/** The lease comes first: grants and attachments name it. */
async function join({ hub, leases, revocations }: RelayEventParts, copy: Copy): Promise<void> {
  try {
    await leases.renewAt(copy);
  } catch {
    // Lost again; the next connection starts over.
    return;
  }
  await (copy.service === "chat" ? inTurns(hub, copy, (connection) => connection.copyConnected(copy)) : revocations().read());
}

/** Some sockets after the other, as long as the copy is connected. */
async function inTurns(hub: Hub, copy: Copy, move: (connection: Connection) => Promise<void>): Promise<void> {
  const connections = hub.all();
  for (let start = 0; start < connections.length && copy.relay.isConnected; start += MOVED_AT_ONCE) {
    await Promise.all(connections.slice(start, start + MOVED_AT_ONCE).map(move));
  }
}

/** Sockets attach elsewhere, some after the other, once their copy is lost; also when it is connected again meanwhile, as it has forgotten them. */
async function loseInTurns(hub: Hub, copy: Copy): Promise<void> {
  const connections = hub.all();
  for (let start = 0; start < connections.length; start += MOVED_AT_ONCE) {
    for (const connection of connections.slice(start, start + MOVED_AT_ONCE)) {
      connection.copyLost(copy);
    }
    await sleep(LOST_EVERY_MS, undefined, { ref: false });
  }
}
