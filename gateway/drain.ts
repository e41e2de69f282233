import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { atMost } from "../platform/lifecycle.ts";
import type { GatewayContext } from "./context.ts";
import type { HttpRequests } from "./http.ts";
import type { Leases } from "./leases.ts";
import type { Listener } from "./listener.ts";

/** How much later than its window's end the last socket may be closed by its own timer. */
const MARGIN_MS = 250;
/** How long the services may take to hear that the sockets and the gateway are gone. */
const GIVE_BACK_MS = 1_200;
const POLL_MS = 20;

/** What a drain takes out of service besides the sockets. */
export interface Drained {
  readonly listener: Pick<Listener, "stopListening">;
  readonly requests: readonly HttpRequests[];
  readonly leases: Pick<Leases, "end">;
}

/**
 * Takes a gateway out of service: it says that it is not ready, takes no new connections, sends its sockets away, spread over the drain's
 * window, lets requests end as long, and gives back what the services hold for it. At once when there is nothing to wait for; never longer
 * than 2 s behind the window, whatever the sockets and the services do.
 */
export async function drain(context: GatewayContext, { listener, requests, leases }: Drained): Promise<void> {
  const { config, hub, events, random, cleanup } = context;
  const endsAt = Date.now() + config.drainMs;
  hub.startDraining();
  events.drainStarted(hub.size, config.drainMs);
  await acceptWaiting();
  listener.stopListening();
  await atMost(config.drainMs + MARGIN_MS, hub.drain(config.drainMs, random));
  hub.closeAll();
  while (requests.some(({ inFlight }) => inFlight > 0) && Date.now() < endsAt) {
    await sleep(POLL_MS);
  }
  await atMost(GIVE_BACK_MS, Promise.all([cleanup.settle(), leases.end()]));
}

/** What waits for a listen socket that closes is reset, so the loop accepts it first: a whole turn from now. */
async function acceptWaiting(): Promise<void> {
  await turn();
  await turn();
}
