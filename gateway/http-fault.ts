import type { HttpResponse } from "uWebSockets.js";
import type { GatewayEvents } from "./events.ts";

/** Handles a request. A fault of ours cuts its connection, where uWebSockets would end the process. */
export function containFault(events: Pick<GatewayEvents, "handlingFailed">, response: HttpResponse, handle: () => void): void {
  try {
    handle();
  } catch (error) {
    events.handlingFailed("http", error);
    response.close();
  }
}
