import type { GatewayEvents } from "./events.ts";

/** Handles something of a connection. A fault of ours cuts it, where uWebSockets would end the process. */
export function containFault(
  events: Pick<GatewayEvents, "handlingFailed">,
  where: Parameters<GatewayEvents["handlingFailed"]>[0],
  connection: { close(): void },
  handle: () => void,
): void {
  try {
    handle();
  } catch (error) {
    events.handlingFailed(where, error);
    cut(connection);
  }
}

function cut(connection: { close(): void }): void {
  try {
    connection.close();
  } catch {
    // uWebSockets throws when a response has been answered, or a socket has ended: there is nothing left to cut.
  }
}
