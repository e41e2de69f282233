import type { Metrics } from "../platform/metrics.ts";
import type { BodyRoom } from "./body-room.ts";
import type { GatewayContext } from "./context.ts";

/** Shows what a gateway holds at the moment: its sockets, its streams to the services, the request bodies that it is reading. */
export function addGauges(
  metrics: Metrics,
  { hub, services }: Pick<GatewayContext, "hub" | "services">,
  rooms: Readonly<Record<string, Pick<BodyRoom, "takenBytes">>>,
): void {
  metrics.gauge("sallyport_sockets", "Sockets that are open.", [], () => [[hub.size]]);
  metrics.gauge("sallyport_relays_connected", "Streams that stand, by service.", ["service"], () =>
    Object.values(services).map(({ service, copies }) => [copies.filter(({ relay }) => relay.isConnected).length, service]),
  );
  metrics.gauge("sallyport_copies_serving", "Copies that are connected and do not leave, by service.", ["service"], () =>
    Object.values(services).map(({ service, servingCount }) => [servingCount, service]),
  );
  metrics.gauge("sallyport_http_body_bytes", "Memory that request bodies take, by the room that they are in.", ["room"], () =>
    Object.entries(rooms).map(([room, { takenBytes }]) => [takenBytes, room]),
  );
}
