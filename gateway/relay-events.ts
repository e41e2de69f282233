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
      for (const connection of copy.service === "chat" ? hub.all() : []) {
        connection.copyLost(copy);
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
