import { setTimeout as sleep } from "node:timers/promises";
import type { GatewayContext } from "./context.ts";
import type { HttpRequests } from "./http.ts";

/** How much longer than its window a drain may take. */
const MARGIN_MS = 500;
const POLL_MS = 20;

/** Sends all sockets away, spread over the drain's window, and lets requests end as long; at once when there are none. */
export async function drain({ config, hub, events, random }: GatewayContext, requests: readonly HttpRequests[]): Promise<void> {
  events.drainStarted(hub.size, config.drainMs);
  const endsAt = Date.now() + config.drainMs;
  const late = new AbortController();
  const tooLate = sleep(config.drainMs + MARGIN_MS, undefined, { signal: late.signal }).catch(() => undefined);
  await Promise.race([hub.drain(config.drainMs, random), tooLate]);
  late.abort();
  while (requests.some(({ inFlight }) => inFlight > 0) && Date.now() < endsAt) {
    await sleep(POLL_MS);
  }
}
