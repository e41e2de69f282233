import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { ChatStack, type StackOptions } from "./chat-stack.ts";
import { as, type FakeGateway } from "./fake-gateway.ts";

/** What a wake is to bring is not to be brought by a round. */
const NEVER_MS = 3_600_000;

/** Two chat copies, a gateway with a stream to each of them, and one that is connected to the second copy only. */
interface Scene extends AsyncDisposable {
  readonly stack: ChatStack;
  readonly toFirst: FakeGateway;
  readonly toSecond: FakeGateway;
  readonly elsewhere: FakeGateway;
  readonly alice: string;
  readonly bob: string;
}

async function twoCopies(options: StackOptions = {}): Promise<Scene> {
  const stack = await ChatStack.start({ healMs: NEVER_MS, lingerMs: 10, ...options });
  const other = await stack.anotherCopy();
  const toFirst = await stack.gateway();
  const toSecond = await stack.gateway(other.address, toFirst.incarnation);
  const elsewhere = await stack.gateway(other.address);
  const [alice, bob] = [stack.invite(), stack.invite()];
  const dispose = async (): Promise<void> => {
    await other[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
  };
  return { stack, toFirst, toSecond, elsewhere, alice, bob, [Symbol.asyncDispose]: dispose };
}

describe("a message that reaches a copy which does not deliver it", () => {
  it("wakes the gateway of its recipient before its sender is answered, and is brought by the copy that delivers", async () => {
    await using scene = await twoCopies();
    const { toFirst, toSecond, alice, bob } = scene;
    const socket = await toFirst.open(bob);
    await socket.receiveEvent("queueEmpty");

    const sent = await toSecond.send(alice, bob, newUuid(), "by the other copy");
    const wakes = [...toSecond.wakes];
    toFirst.relay.wake(bob);
    await socket.receive(1);

    expect(sent.state).to.equal(State.STORED);
    expect(wakes).to.deep.equal([socket.connection]);
    expect(socket.story).to.deep.equal(["queueEmpty", "by the other copy"]);
  });

  it("wakes again when it is sent again", async () => {
    await using scene = await twoCopies();
    const { toFirst, toSecond, alice, bob } = scene;
    const socket = await toFirst.open(bob);
    const id = newUuid();
    await toSecond.send(alice, bob, id, "once");

    const repeat = await toSecond.send(alice, bob, id, "once");

    expect(repeat.state).to.equal(State.STORED);
    expect(toSecond.wakes).to.deep.equal([socket.connection, socket.connection]);
  });

  it("wakes nobody for somebody who is not attached, and asks again for the next one", async () => {
    await using scene = await twoCopies();
    const { toFirst, toSecond, alice, bob } = scene;
    await toSecond.send(alice, bob, newUuid(), "nobody there");
    const before = [...toSecond.wakes];

    const socket = await toFirst.open(bob);
    await toSecond.send(alice, bob, newUuid(), "somebody there");

    expect(before).to.deep.equal([]);
    expect(toSecond.wakes).to.deep.equal([socket.connection]);
  });

  it("is answered all the same where the gateway of its recipient is not connected", async () => {
    await using scene = await twoCopies();
    const { toFirst, toSecond, elsewhere, alice, bob } = scene;
    await toFirst.open(bob);
    toSecond[Symbol.dispose]();

    const sent = await elsewhere.send(alice, bob, newUuid(), "not to be announced");

    expect(sent.state).to.equal(State.STORED);
    expect(elsewhere.wakes).to.deep.equal([]);
  });

  it("comes with hundreds of others, in order, however fast the wakes are", async () => {
    await using scene = await twoCopies();
    const { toFirst, elsewhere, toSecond, alice, bob } = scene;
    const socket = await toFirst.open(bob);
    const bodies = Array.from({ length: 250 }, (_, index) => `${index}`);
    let isOver = false;
    const waking = (async () => {
      for (let seen = 0; !isOver; ) {
        await toSecond.until(() => toSecond.wakes.length > seen || isOver);
        seen = toSecond.wakes.length;
        toFirst.relay.wake(bob);
        toFirst.relay.wake(bob);
      }
    })();

    await Promise.all(bodies.map((body) => elsewhere.send(alice, bob, newUuid(), body)));
    await socket.receive(250);
    isOver = true;
    await toSecond.send(alice, bob, newUuid(), "ends the waking");
    await waking;

    expect(socket.messages.map(({ body }) => body.toString()).slice(0, 250)).to.deep.equal(bodies);
  });
});

describe("a copy that delivers", () => {
  it("wakes nobody for what it stores itself", async () => {
    await using scene = await twoCopies();
    const { toFirst, toSecond, alice, bob } = scene;
    const socket = await toFirst.open(bob);
    await socket.receiveEvent("queueEmpty");

    const sent = await toFirst.send(alice, bob, newUuid(), "lingers");

    expect(sent.state).to.equal(State.STORED);
    expect([...toFirst.wakes, ...toSecond.wakes]).to.deep.equal([]);
  });

  it("finds out that it does not any more, tells the older socket, and wakes the gateway of the newer one", async () => {
    let offset = 0;
    await using scene = await twoCopies({ now: () => Date.now() + offset });
    const { stack, toFirst, elsewhere, alice, bob } = scene;
    const older = await toFirst.open(bob);
    await older.receiveEvent("queueEmpty");
    const newerToFirst = await stack.gateway(undefined, elsewhere.incarnation);
    scene.toSecond[Symbol.dispose]();
    const newer = await elsewhere.open(bob);
    offset = 2_000;

    await toFirst.send(alice, bob, newUuid(), "pushed in vain");
    await older.receiveEvent("displaced");
    const wakes = [...newerToFirst.wakes];
    elsewhere.relay.wake(bob);
    await newer.receive(1);

    expect(wakes).to.deep.equal([newer.connection]);
    expect(newer.story).to.deep.equal(["queueEmpty", "pushed in vain"]);
  });

  it("has room again when another copy took the acknowledgements", async () => {
    await using scene = await twoCopies();
    const { toFirst, toSecond, elsewhere, alice, bob } = scene;
    await Promise.all(Array.from({ length: 257 }, (_, index) => toFirst.send(alice, bob, newUuid(), `${index}`)));
    const socket = await toFirst.open(bob);
    const ids = (await socket.receive(256)).map(({ id }) => id);

    await elsewhere.chat.ackMessages({ messageIds: ids }, as(bob));
    await toSecond.until(() => toSecond.wakes.length > 0);
    toFirst.relay.wake(bob);
    await socket.receiveEvent("queueEmpty");

    expect(toSecond.wakes).to.deep.equal([socket.connection]);
    expect(socket.messages).to.have.lengthOf(257);
  });
});

describe("a socket that moves to another copy", () => {
  for (const [title, lingerMs] of [
    ["lingers at the older copy", 60_000],
    ["was stored there after it had lingered", 5],
  ] as const) {
    it(`gets what ${title} once that one is told`, async () => {
      await using scene = await twoCopies({ lingerMs });
      const { toFirst, toSecond, alice, bob } = scene;
      const before = await toFirst.open(bob);
      await before.receiveEvent("queueEmpty");
      const after = await toSecond.attachAgain(bob, before.connection, [], true);
      await after.activate();

      const sending = toFirst.send(alice, bob, newUuid(), "between two copies");
      await before.receive(1);
      const early = lingerMs === 5 ? await sending : undefined;
      await before.detach();
      const sent = early ?? (await sending);
      await toFirst.until(() => toFirst.wakes.length > 0);
      toSecond.relay.wake(bob);
      await after.receive(1);

      expect(sent.state).to.equal(State.STORED);
      expect(toFirst.wakes).to.include(before.connection);
      expect(after.story).to.deep.equal(["between two copies"]);
      expect((await scene.stack.documents("presence"))[0]?.["current"].epoch).to.equal(after.epoch);
    });
  }

  it("is not told that it is displaced by itself", async () => {
    await using scene = await twoCopies();
    const { toFirst, toSecond, alice, bob } = scene;
    const before = await toFirst.open(bob);
    await before.receiveEvent("queueEmpty");

    const after = await toSecond.attachAgain(bob, before.connection, [], true);
    await after.activate();
    await before.detach();
    await toSecond.send(alice, bob, newUuid(), "here");
    await after.receive(1);

    expect(before.story).to.deep.equal(["queueEmpty"]);
    expect(after.story).to.deep.equal(["here"]);
  });
});

describe("a newer socket at another copy", () => {
  it("displaces the older one at once, over the stream of its gateway to the newer one's copy", async () => {
    await using scene = await twoCopies();
    const { toFirst, toSecond, elsewhere, bob } = scene;
    const older = await toFirst.open(bob);
    await older.receiveEvent("queueEmpty");

    await elsewhere.open(bob);
    const isDisplaced = (): boolean =>
      toSecond.pushes.some(({ connection, epoch, event }) => {
        return connection === older.connection && epoch === older.epoch && event?.kind?.$case === "displaced";
      });
    await toSecond.until(isDisplaced);

    expect(isDisplaced()).to.equal(true);
  });
});
