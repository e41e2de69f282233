import { expect } from "chai";
import { SallyportError } from "../../../../../platform/errors.ts";
import { Inboxes, type InboxesPorts } from "../../../../../services/chat/delivery/inboxes.ts";
import { acceptedAs, GATEWAY, gatewayNamed, messageNamed, OUTAGE } from "./inbox-scenario.ts";

describe("the inboxes of a process", () => {
  it("are forgotten when nothing goes on in them", async () => {
    const inboxes = new Inboxes(portsWith({}));

    await inboxes.of("r").offer(messageNamed("a", 1));
    await inboxes.of("r").acknowledge(["a", "b"]);
    await inboxes.of("s").acknowledge([]);

    expect(inboxes.size).to.equal(0);
  });

  it("stay while something holds them or a socket is attached", async () => {
    const inboxes = new Inboxes(portsWith({}));
    inboxes.gatewayJoined(GATEWAY);
    const held = await inboxes.of("r").hold(async () => inboxes.size);
    attach(inboxes);
    const attached = inboxes.size;

    inboxes.gatewayLeft(GATEWAY);

    expect([held, attached, inboxes.size]).to.deep.equal([1, 1, 0]);
  });

  it("keep the newest stream of a gateway's run when an older one ends late", () => {
    const inboxes = new Inboxes(portsWith({}));
    const [older, newer] = [gatewayNamed("g"), gatewayNamed("g")];
    inboxes.gatewayJoined(older);
    inboxes.gatewayJoined(newer);

    inboxes.gatewayLeft(older);

    expect(inboxes.gateway("g")).to.equal(newer);
    expect(inboxes.isConnected(older)).to.equal(false);
  });

  it("answer nothing but UNAVAILABLE once a message was pushed", async () => {
    const clash = new SallyportError("ALREADY_EXISTS", "another message", { reason: "CLIENT_MESSAGE_ID_REUSED" });
    const inboxes = new Inboxes(portsWith({ lingerMs: 0, store: () => Promise.reject(clash) }));
    const unpushed = await statusOf(inboxes.of("r").offer(messageNamed("a", 1)));
    inboxes.gatewayJoined(GATEWAY);
    attach(inboxes);
    await nextTurn();

    const pushed = await statusOf(inboxes.of("r").offer(messageNamed("b", 2)));

    expect([unpushed, pushed]).to.deep.equal(["ALREADY_EXISTS", "UNAVAILABLE"]);
    inboxes.dispose();
  });

  it("tell everyone who waits when the process stops", async () => {
    const inboxes = new Inboxes(portsWith({ store: () => new Promise(() => undefined), forget: () => new Promise(() => undefined) }));
    const waiting = [inboxes.of("r").offer(messageNamed("a", 1)), inboxes.of("r").acknowledge(["b"])];

    inboxes.dispose();

    expect(await Promise.all(waiting.map(statusOf))).to.deep.equal(["UNAVAILABLE", "UNAVAILABLE"]);
  });

  it("tell an acknowledgement that it is not durable", async () => {
    const inboxes = new Inboxes(portsWith({ forget: () => Promise.reject(OUTAGE) }));

    const status = await statusOf(inboxes.of("r").acknowledge(["a"]));

    expect([status, inboxes.size]).to.deep.equal(["UNAVAILABLE", 0]);
  });
});

function attach(inboxes: Inboxes): void {
  inboxes.note(GATEWAY, "r");
  inboxes.of("r").handle({ kind: "attached", gateway: GATEWAY, connection: 1, epoch: 1, inFlight: [], queueEmptied: false });
  inboxes.of("r").handle({ kind: "activated", epoch: 1, mark: 0 });
}

function portsWith(ports: Partial<InboxesPorts>): InboxesPorts {
  return {
    lingerMs: 1_000,
    store: async () => acceptedAs("stored"),
    record: async () => acceptedAs("delivered"),
    forget: async () => [],
    read: async () => ({ messages: [], exhausted: true }),
    failed: () => undefined,
    woken: () => undefined,
    ...ports,
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function statusOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "OK",
    (error: unknown) => (error instanceof SallyportError ? error.status : "another error"),
  );
}
