import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { createClient } from "../../../platform/rpc/client.ts";
import { deliveryService } from "../../../proto/gen/policy/services.ts";
import { State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { ChatStack } from "./chat-stack.ts";
import { as, type FakeGateway } from "./fake-gateway.ts";
import { refusalOf } from "./refusal.ts";

/** What is to be right at once is not to be put right by the next round. */
const NEVER_MS = 600_000;

describe("attaching a socket", () => {
  it("brings what waits, oldest first, then says that the queue is empty", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    await sendAll(gateway, alice, bob, ["1", "2", "3"]);

    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");

    expect(socket.story).to.deep.equal(["1", "2", "3", "queueEmpty"]);
  });

  it("pushes nothing before it is activated", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const socket = await gateway.attach(bob);

    const sent = await gateway.send(alice, bob, newUuid(), "waits");
    const before = [...socket.story];
    await socket.activate();
    await socket.receiveEvent("queueEmpty");

    expect(sent.state).to.equal(State.STORED);
    expect(before).to.deep.equal([]);
    expect(socket.story).to.deep.equal(["waits", "queueEmpty"]);
  });

  it("keeps at most 256 messages unacknowledged, and goes on as they are acknowledged", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const bodies = Array.from({ length: 300 }, (_, index) => `${index}`);
    await sendAll(gateway, alice, bob, bodies);

    const socket = await gateway.open(bob);
    const first = [...(await socket.receive(256))];
    const listed = await gateway.chat.listPending({ pageSize: 0 }, as(bob));
    const heldBack = socket.messages.length;
    await socket.ack(...first.slice(0, 10).map(({ id }) => id));
    await socket.receive(266);
    await gateway.chat.ackMessages({ messageIds: first.slice(10).map(({ id }) => id) }, as(bob));
    await socket.receiveEvent("queueEmpty");

    expect(listed.messages).to.have.lengthOf(256);
    expect(heldBack).to.equal(256);
    expect(socket.story).to.deep.equal([...bodies, "queueEmpty"]);
  });

  it("goes on as the first 256 are acknowledged by a call", async () => {
    await using stack = await ChatStack.start({ healMs: NEVER_MS });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const bodies = Array.from({ length: 300 }, (_, index) => `${index}`);
    await sendAll(gateway, alice, bob, bodies);
    const socket = await gateway.open(bob);
    const first = [...(await socket.receive(256))];

    await gateway.chat.ackMessages({ messageIds: first.map(({ id }) => id) }, as(bob));
    await socket.receiveEvent("queueEmpty");

    expect(first).to.have.lengthOf(256);
    expect(socket.story).to.deep.equal([...bodies, "queueEmpty"]);
    expect(await stack.documents("inbox")).to.have.lengthOf(44);
  });

  it("keeps at most 256 KiB ahead of what has left the gateway", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const bodies = Array.from({ length: 6 }, (_, index) => String(index).repeat(60_000));
    await sendAll(gateway, alice, bob, bodies);

    const socket = await gateway.open(bob);
    await socket.receive(4);
    await gateway.chat.listPending({ pageSize: 1 }, as(bob));
    const ahead = socket.messages.length;
    await socket.credit(60_000 * ahead);
    await socket.receive(6);

    expect(ahead * 60_000).to.be.lessThan(262_144 + 60_000);
    expect(socket.messages.map(({ body }) => body.toString())).to.deep.equal(bodies);
  });

  it("keeps the order of messages that are sent without waiting", async () => {
    await using stack = await ChatStack.start({ lingerMs: 5 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const bodies = Array.from({ length: 200 }, (_, index) => `${index}`);
    const socket = await gateway.open(bob);

    const sending = Promise.all(bodies.map((body) => gateway.send(alice, bob, newUuid(), body)));
    await socket.receive(200);
    await sending;

    expect(socket.messages.map(({ body }) => body.toString())).to.deep.equal(bodies);
  });

  it("needs a relay stream", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const unary = createClient(deliveryService, gateway.relay.channel);

    const refused = await refusalOf(unary.attach({ connection: 1, inFlightMessageIds: [], queueEmptied: false }, as(stack.invite())));

    expect([refused.status, refused.reason]).to.deep.equal(["FAILED_PRECONDITION", "RELAY_REQUIRED"]);
  });
});

describe("a newer socket", () => {
  it("displaces the older one when it is activated, and gets what that one has not acknowledged", async () => {
    await using stack = await ChatStack.start({ lingerMs: 10 });
    const [here, there] = [await stack.gateway(), await stack.gateway()];
    const [alice, bob] = [stack.invite(), stack.invite()];
    const older = await here.open(bob);
    await older.receiveEvent("queueEmpty");
    const { messageId } = await here.send(alice, bob, newUuid(), "first");

    const newer = await there.open(bob);
    await older.receiveEvent("displaced");
    await newer.receiveEvent("queueEmpty");
    await here.send(alice, bob, newUuid(), "second");
    await newer.receive(2);
    await older.ack(messageId);

    expect(newer.epoch).to.be.greaterThan(older.epoch);
    expect(older.story).to.deep.equal(["queueEmpty", "first", "displaced"]);
    expect(newer.story).to.deep.equal(["first", "queueEmpty", "second"]);
    expect((await stack.documents("inbox")).map(({ _id }) => _id)).to.not.include(messageId);
  });

  it("leaves the events with the older one when it closes before it is activated", async () => {
    await using stack = await ChatStack.start({ lingerMs: 10 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const older = await gateway.open(bob);
    await older.receiveEvent("queueEmpty");
    const candidate = await gateway.attach(bob);

    await candidate.detach();
    const late = await refusalOf(candidate.activate());
    await gateway.send(alice, bob, newUuid(), "still here");
    await older.receive(1);

    expect(late.status).to.equal("FAILED_PRECONDITION");
    expect(older.story).to.deep.equal(["queueEmpty", "still here"]);
    expect(candidate.story).to.deep.equal([]);
  });

  it("is not bothered by the late detachment of the older one", async () => {
    await using stack = await ChatStack.start({ lingerMs: 10 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const older = await gateway.open(bob);
    const newer = await gateway.open(bob);
    await newer.receiveEvent("queueEmpty");

    await older.detach();
    await gateway.send(alice, bob, newUuid(), "to the newer");
    await newer.receive(1);

    expect(newer.story).to.deep.equal(["queueEmpty", "to the newer"]);
    expect((await stack.documents("presence"))[0]?.["current"].epoch).to.equal(newer.epoch);
  });

  it("tells an older one that is activated late that it is displaced", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const bob = stack.invite();
    const slow = await gateway.attach(bob);
    const newer = await gateway.open(bob);
    await newer.receiveEvent("queueEmpty");

    await slow.activate();
    await slow.receiveEvent("displaced");

    expect(newer.story).to.deep.equal(["queueEmpty"]);
  });
});

describe("a socket that goes away", () => {
  it("has what lingers on it stored at once", async () => {
    await using stack = await ChatStack.start({ lingerMs: 60_000 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");
    const sending = gateway.send(alice, bob, newUuid(), "lingers");
    await socket.receive(1);

    await socket.detach();

    expect((await sending).state).to.equal(State.STORED);
  });

  it("has what lingers on it stored when its gateway's stream ends", async () => {
    await using stack = await ChatStack.start({ lingerMs: 60_000 });
    const [here, there] = [await stack.gateway(), await stack.gateway()];
    const [alice, bob] = [stack.invite(), stack.invite()];
    const socket = await there.open(bob);
    await socket.receiveEvent("queueEmpty");
    const sending = here.send(alice, bob, newUuid(), "lingers");
    await socket.receive(1);

    there[Symbol.dispose]();
    const sent = await sending;
    const next = await here.open(bob);
    await next.receiveEvent("queueEmpty");

    expect(sent.state).to.equal(State.STORED);
    expect(next.story).to.deep.equal(["lingers", "queueEmpty"]);
  });

  it("gets nothing twice when it is attached again after a restart of the service", async () => {
    await using stack = await ChatStack.start({ lingerMs: 10 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    await sendAll(gateway, alice, bob, ["1", "2"]);
    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");
    const ids = socket.messages.map(({ id }) => id);
    await stack.stopService();
    await stack.startService();
    await gateway.connected();
    await gateway.send(alice, bob, newUuid(), "3");

    const again = await gateway.attachAgain(bob, socket.connection, ids, true);
    await again.activate();
    await again.receive(1);
    await again.ack(...ids, ...again.messages.map(({ id }) => id));

    expect(again.epoch).to.be.greaterThan(socket.epoch);
    expect(again.story).to.deep.equal(["3"]);
    expect(socket.story).to.deep.equal(["1", "2", "queueEmpty"]);
    expect(await stack.documents("inbox")).to.have.lengthOf(0);
  });
});

describe("a socket that is attached again by a gateway that did not see its acknowledgements", () => {
  it("gets what comes next, also when its whole window looks taken", async () => {
    await using stack = await ChatStack.start({ lingerMs: 10, healMs: NEVER_MS });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const bodies = Array.from({ length: 300 }, (_, index) => `${index}`);
    await sendAll(gateway, alice, bob, bodies);
    const socket = await gateway.open(bob);
    await socket.receive(256);
    await gateway.chat.ackMessages({ messageIds: socket.messages.map(({ id }) => id) }, as(bob));
    const ids = (await socket.receive(300)).map(({ id }) => id);
    await gateway.chat.ackMessages({ messageIds: ids }, as(bob));
    await stack.stopService();
    await stack.startService();
    await gateway.connected();

    const again = await gateway.attachAgain(bob, socket.connection, ids.slice(-256), true);
    await again.activate();
    await gateway.send(alice, bob, newUuid(), "next");
    await again.receive(1);

    expect(again.story).to.deep.equal(["next"]);
  });

  it("is not pushed again what still waits", async () => {
    await using stack = await ChatStack.start({ lingerMs: 10 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    await sendAll(gateway, alice, bob, ["1", "2"]);
    const socket = await gateway.open(bob);
    const [one, two] = (await socket.receive(2)).map(({ id }) => id) as [string, string];
    await gateway.chat.ackMessages({ messageIds: [one] }, as(bob));

    const again = await gateway.attachAgain(bob, socket.connection, [one, two], true);
    await again.activate();
    await gateway.send(alice, bob, newUuid(), "3");
    await again.receive(1);
    await again.ack(two);

    expect(again.story).to.deep.equal(["3"]);
    expect(await stack.documents("inbox")).to.have.lengthOf(1);
  });

  it("gets room back by and by when another copy took the acknowledgements", async () => {
    await using stack = await ChatStack.start({ lingerMs: 10, healMs: 30 });
    await using other = await stack.anotherCopy();
    const [here, elsewhere] = [await stack.gateway(), await stack.gateway(other.address)];
    const [alice, bob] = [stack.invite(), stack.invite()];
    await sendAll(
      here,
      alice,
      bob,
      Array.from({ length: 257 }, (_, index) => `${index}`),
    );
    const socket = await here.open(bob);
    const ids = (await socket.receive(256)).map(({ id }) => id);

    await elsewhere.chat.ackMessages({ messageIds: ids }, as(bob));
    await socket.receiveEvent("queueEmpty");

    expect(socket.messages.map(({ body }) => body.toString()).at(-1)).to.equal("256");
  });
});

async function sendAll(gateway: FakeGateway, from: string, to: string, bodies: readonly string[]): Promise<void> {
  await Promise.all(bodies.map((body) => gateway.send(from, to, newUuid(), body)));
}
