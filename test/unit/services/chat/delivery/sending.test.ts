import { expect } from "chai";
import { newUuid } from "../../../../../platform/ids.ts";
import type { GatewayPeer } from "../../../../../platform/rpc/call.ts";
import { HybridClock } from "../../../../../services/chat/delivery/hybrid-clock.ts";
import { Inboxes } from "../../../../../services/chat/delivery/inboxes.ts";
import { Sending, type SendingParts } from "../../../../../services/chat/delivery/sending.ts";
import { acceptedAs, gatewayNamed } from "./inbox-scenario.ts";

describe("a send that was looked for in the ledger before the recipient's socket came", () => {
  it("is looked for again, and not pushed when another copy has delivered it meanwhile", async () => {
    const pushed: string[] = [];
    const gateway: GatewayPeer = { ...gatewayNamed("g1"), push: (_connection, _epoch, { kind }) => pushed.push(kind?.$case ?? "") };
    const recipientId = newUuid();
    const inboxes = emptyInboxes();
    const answers = [undefined, { state: "delivered" }];
    const sending = sendingWith(inboxes, {
      sends: { find: async () => answers.shift() },
      rooms: {
        admit: async () => {
          const inbox = inboxes.of(recipientId);
          inbox.handle({ kind: "attached", gateway, connection: 1, epoch: 1, inFlight: [], queueEmptied: false });
          inbox.handle({ kind: "activated", epoch: 1, mark: 0 });
          inbox.handle({ kind: "pageRead", epoch: 1, messages: [], exhausted: true });
        },
      },
    });

    const { accepted } = await sending.send({
      senderId: newUuid(),
      recipientId,
      clientMessageId: newUuid(),
      body: Buffer.from("once"),
      deadline: Number.POSITIVE_INFINITY,
    });

    expect(accepted.state).to.equal("delivered");
    expect(answers).to.deep.equal([]);
    expect(pushed).to.deep.equal(["queueEmpty"]);
  });
});

function emptyInboxes(): Inboxes {
  return new Inboxes({
    lingerMs: 10,
    store: async () => acceptedAs("stored"),
    record: async () => acceptedAs("delivered"),
    forget: async () => [],
    read: () => new Promise(() => undefined),
    failed: () => undefined,
    woken: () => undefined,
  });
}

function sendingWith(inboxes: Inboxes, parts: object): Sending {
  return new Sending({
    inboxes,
    wakes: { send: async () => undefined },
    custody: { repeat: async () => acceptedAs("delivered") },
    blocks: { has: async () => false },
    directory: { exists: async () => true, believes: () => true },
    receipts: { sign: (message: object) => ({ ...message, receipt: "", receiptKid: "k" }) },
    hybridClock: new HybridClock(Date.now),
    deadlineNow: Date.now,
    ...parts,
  } as unknown as SendingParts);
}
