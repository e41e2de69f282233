import { expect } from "chai";
import type { Connection } from "../../../gateway/connection.ts";
import type { GatewayContext } from "../../../gateway/context.ts";
import { type Drained, drain } from "../../../gateway/drain.ts";
import { createEvents } from "../../../gateway/events.ts";
import { Hub } from "../../../gateway/hub.ts";
import { createLogger } from "../../../platform/logger.ts";

const never = new Promise<never>(() => undefined);

/** A gateway's parts, those that a test says so hanging. */
function startParts(drainMs: number, hanging: boolean): { context: GatewayContext; drained: Drained; hub: Hub; did: string[] } {
  const hub = new Hub(Date.now);
  const did: string[] = [];
  const settle = async (): Promise<void> => {
    did.push("cleanup");
    await (hanging ? never : undefined);
  };
  const end = async (): Promise<void> => {
    did.push("leases");
    await (hanging ? never : undefined);
  };
  const events = createEvents(createLogger("test", "silent"));
  const context = { config: { drainMs }, hub, events, random: () => 0.5, cleanup: { settle } } as unknown as GatewayContext;
  const listener = { stopListening: () => did.push(hub.isDraining ? "stop listening, not ready" : "stop listening, ready") };
  return { context, drained: { listener, requests: [{ inFlight: hanging ? 1 : 0 }], leases: { end } }, hub, did };
}

/** A socket that tells what is done to it; one that is deaf does not go when it is told. */
function addSocket(hub: Hub, id: number, did: string[], isDeaf: boolean): void {
  const connection = {
    id,
    isExchanged: true,
    drain: () => {
      did.push(`drain ${id}`);
      if (!isDeaf) {
        hub.remove(connection as unknown as Connection, []);
      }
    },
    close: (code: number) => {
      did.push(`close ${id} ${code}`);
      hub.remove(connection as unknown as Connection, []);
    },
  };
  hub.add(connection as unknown as Connection);
}

describe("a drain", () => {
  it("says that it is not ready, stops listening, sends the sockets away, and gives back what the services hold, in this order", async () => {
    const { context, drained, hub, did } = startParts(60_000, false);
    addSocket(hub, 1, did, false);

    await drain(context, drained);

    expect(did).to.deep.equal(["stop listening, not ready", "drain 1", "cleanup", "leases"]);
  });

  it("ends although a socket, a request and the services hang", async () => {
    const { context, drained, hub, did } = startParts(50, true);
    addSocket(hub, 1, did, true);

    await drain(context, drained);

    expect(did).to.deep.equal(["stop listening, not ready", "drain 1", "close 1 4001", "cleanup", "leases"]);
  });

  it("is over at once when there is nothing to wait for", async () => {
    const { context, drained } = startParts(60_000, false);

    await drain(context, drained);
  });
});
