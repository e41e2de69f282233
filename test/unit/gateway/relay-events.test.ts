import { expect } from "chai";
import type { Connection } from "../../../gateway/connection.ts";
import { createEvents } from "../../../gateway/events.ts";
import { Hub } from "../../../gateway/hub.ts";
import type { Copy } from "../../../gateway/relay.ts";
import { listenToRelays, type RelayEventParts } from "../../../gateway/relay-events.ts";
import { createLogger } from "../../../platform/logger.ts";

describe("a chat copy that is lost", () => {
  it("has its sockets attach elsewhere some after the other, all of them, though it is connected again meanwhile", async () => {
    const hub = new Hub(Date.now);
    const told: number[] = [];
    let all: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      all = resolve;
    });
    for (let id = 1; id <= 450; id += 1) {
      const copyLost = (): void => {
        told.push(id);
        if (told.length === 450) {
          all();
        }
      };
      hub.add({ id, copyLost } as unknown as Connection);
    }
    const parts = { hub, events: createEvents(createLogger("test", "silent")) } as unknown as RelayEventParts;
    const copy = { service: "chat", relay: { target: "chat", isConnected: true } } as unknown as Copy;

    listenToRelays(parts).disconnected(copy);
    const atOnce = told.length;
    await done;

    expect(atOnce).to.equal(200);
    expect(told).to.deep.equal(Array.from({ length: 450 }, (_, index) => index + 1));
  });
});
