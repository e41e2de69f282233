import { expect } from "chai";
import type { RunningGateway } from "../../../gateway/server.ts";
import { State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { TestSocket } from "../gateway/harness.ts";
import { nextBody, type Person, send, sendSurely, TwoByTwo, until } from "./two-by-two.ts";

/** Longer than any test: what is to come without a round does. */
const NEVER_MS = 3_600_000;

describe("two gateways before two chat copies", function () {
  this.timeout(60_000);

  it("bring a message at once that went through the copy which does not deliver it", async () => {
    await using scene = await TwoByTwo.start({ healMs: NEVER_MS });
    await scene.startSecondCopy();
    const here = await scene.gateway(scene.targets);
    const [bob, alice] = [scene.invite(), scene.invite()];
    const bobs = await scene.open(here, bob);
    const alices = await scene.open(await gatewayOfTheOtherCopy(scene, bob), alice);

    const sent = await send(alices, bob, "the long way round");

    expect(sent).to.equal(State.STORED);
    expect(await nextBody(bobs)).to.equal("the long way round");
  });

  it("bring it by the round when the wake is lost", async () => {
    await using scene = await TwoByTwo.start({ healMs: 100 });
    const { bobs, alices, bob } = await withoutAWay(scene);

    const sent = await send(alices, bob, "by the round");

    expect(sent).to.equal(State.STORED);
    expect(await nextBody(bobs)).to.equal("by the round");
  });

  it("would not bring it with neither wake nor round", async () => {
    await using scene = await TwoByTwo.start({ healMs: NEVER_MS });
    const { here, bobs, alices, bob } = await withoutAWay(scene);
    const carols = await scene.open(here, scene.invite());

    await send(alices, bob, "nobody is told");
    const sending = send(carols, bob, "by the copy that delivers");

    expect(await nextBody(bobs)).to.equal("by the copy that delivers");
    await sending;
  });

  it("bring it by way of a gateway that reaches both copies when the recipient's own reaches only one", async () => {
    await using scene = await TwoByTwo.start({ healMs: NEVER_MS });
    const { bobs, alices, bob } = await withoutAWay(scene);
    await scene.gateway(scene.targets);

    await send(alices, bob, "passed on");

    expect(await nextBody(bobs)).to.equal("passed on");
  });

  it("displace the older socket at once, whichever copies the two are attached to", async () => {
    await using scene = await TwoByTwo.start({ healMs: NEVER_MS });
    await scene.startSecondCopy();
    const here = await scene.gateway(scene.targets);
    const bob = scene.invite();
    const older = await scene.open(here, bob);
    const copy = await scene.copyOf(bob);

    const there = await gatewayOfTheOtherCopy(scene, bob);
    const newer = await scene.open(there, bob);
    const event = await older.nextEvent();
    const alices = await scene.open(there, scene.invite());
    await send(alices, bob, "to the newer");

    expect(event).to.deep.equal({ displaced: {} });
    expect(await scene.copyOf(bob)).to.not.equal(copy);
    expect(await nextBody(newer)).to.equal("to the newer");
  });

  for (const [title, copies, change] of [
    ["joins", 1, (scene: TwoByTwo) => scene.startSecondCopy()],
    ["leaves", 2, (scene: TwoByTwo) => scene.stack.stopService()],
  ] as const) {
    it(`move sockets when a copy ${title}, and lose, repeat and delay nothing while they do`, async () => {
      await using scene = await TwoByTwo.start({ healMs: NEVER_MS, lingerMs: 20 });
      if (copies === 2) {
        await scene.startSecondCopy();
      }
      const here = await scene.gateway(scene.targets, copies);
      const alices = await scene.open(here, scene.invite());
      const people = Array.from({ length: 12 }, () => scene.invite());
      const sockets = await Promise.all(people.map((person) => scene.open(here, person)));
      const before = await Promise.all(people.map((person) => scene.copyOf(person)));
      const traffic = sendOn(alices, people);

      await change(scene);
      await until(async () =>
        (await Promise.all(people.map((person) => scene.copyOf(person)))).some((copy, index) => copy !== before[index]),
      );
      const count = await traffic.stop();
      const received = await Promise.all(sockets.map((socket) => bodies(socket, count)));

      expect(count).to.be.greaterThan(0);
      for (const one of received) {
        expect(one).to.deep.equal(Array.from({ length: count }, (_, index) => `${index}`));
      }
    });
  }

  it("deliver first again after a move", async () => {
    await using scene = await TwoByTwo.start({ healMs: NEVER_MS, lingerMs: 30_000 });
    const here = await scene.gateway(scene.targets, 1);
    const alices = await scene.open(here, scene.invite());
    const people = Array.from({ length: 12 }, () => scene.invite());
    const sockets = await Promise.all(people.map((person) => scene.open(here, person)));
    const first = await scene.copyOf(people[0] as Person);

    await scene.startSecondCopy();
    await until(async () => (await movedOf(scene, people, first)).length > 0);
    const [moved] = (await movedOf(scene, people, first)) as [Person];
    const socket = sockets[people.indexOf(moved)] as TestSocket;
    const acknowledged = async (): Promise<State | undefined> => {
      const sending = send(alices, moved, "prompt");
      const event = await socket.nextEvent();
      socket.send({ $case: "ack", value: { messageIds: [String(event["message"]?.["id"])] } });
      return sending;
    };

    // The first may come between the presence and the attachment that it speaks of.
    await until(async () => (await acknowledged()) === State.DELIVERED);
  });
});

/** A gateway that is connected to the copy only that does not deliver to somebody. */
async function gatewayOfTheOtherCopy(scene: TwoByTwo, person: Person): Promise<RunningGateway> {
  const copy = await scene.copyOf(person);
  for (const target of scene.targets) {
    const gateway = await scene.gateway([target]);
    const probe = scene.invite();
    await scene.open(gateway, probe);
    if ((await scene.copyOf(probe)) !== copy) {
      return gateway;
    }
  }
  throw new Error("both gateways are connected to one copy");
}

/** Somebody at a gateway that only one copy is connected to, and a sender at one of the other. */
async function withoutAWay(scene: TwoByTwo): Promise<{ here: RunningGateway; bobs: TestSocket; alices: TestSocket; bob: Person }> {
  await scene.startSecondCopy();
  const [first, second] = scene.targets;
  const here = await scene.gateway([first]);
  const bob = scene.invite();
  const bobs = await scene.open(here, bob);
  const alices = await scene.open(await scene.gateway([second]), scene.invite());
  return { here, bobs, alices, bob };
}

async function movedOf(scene: TwoByTwo, people: readonly Person[], from: string): Promise<readonly Person[]> {
  const copies = await Promise.all(people.map((person) => scene.copyOf(person)));
  return people.filter((_, index) => copies[index] !== from);
}

/** Sends to everybody in turn, round after round, until it is stopped; answers how many rounds there were. */
function sendOn(socket: TestSocket, people: readonly Person[]): { stop: () => Promise<number> } {
  let isOver = false;
  const sending = (async () => {
    let count = 0;
    for (; !isOver; count += 1) {
      for (const person of people) {
        await sendSurely(socket, person, `${count}`);
      }
    }
    return count;
  })();
  return {
    stop: () => {
      isOver = true;
      return sending;
    },
  };
}

/** Takes so many messages, acknowledging each. */
async function bodies(socket: TestSocket, count: number): Promise<readonly string[]> {
  const all: string[] = [];
  while (all.length < count) {
    const { message } = await socket.nextEvent();
    all.push(Buffer.from(String(message?.["body"]), "base64").toString());
    socket.send({ $case: "ack", value: { messageIds: [String(message?.["id"])] } });
  }
  return all;
}
