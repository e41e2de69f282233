import { expect } from "chai";
import type { ReceivedMessage } from "../../../client/event.ts";
import { memorySeenMessages } from "../../../client/seen-messages.ts";
import { serveExchange, startConnected } from "./harness.ts";
import type { ScriptedSocket } from "./scripted-server.ts";

function push(socket: ScriptedSocket, ...ids: string[]): void {
  for (const id of ids) {
    socket.event({
      message: { id, clientMessageId: `c-${id}`, senderAccountId: "s", sentAt: "2024-01-01T00:00:00Z", body: "aGVsbG8=", receipt: "r" },
    });
  }
}

async function take(messages: AsyncIterator<ReceivedMessage>): Promise<ReceivedMessage> {
  const { value, done } = await messages.next();
  if (done) {
    throw new Error("there are no more messages");
  }
  return value;
}

/** The ids of acknowledgement frames, until `count` ids have come. */
async function acknowledged(socket: ScriptedSocket, count: number): Promise<string[][]> {
  const frames: string[][] = [];
  while (frames.flat().length < count) {
    const frame = await socket.nextFrame();
    if (frame.$case === "ack") {
      frames.push(frame.value.messageIds);
    }
  }
  return frames;
}

describe("the messages of a connection", () => {
  it("reach the app with all that the server said", async () => {
    await using harness = await startConnected();
    push(harness.socket, "a");

    const message = await take(harness.connection.messages());

    expect(message).to.deep.equal({
      id: "a",
      clientMessageId: "c-a",
      senderAccountId: "s",
      sentAt: new Date("2024-01-01T00:00:00Z"),
      body: new TextEncoder().encode("hello"),
      receipt: "r",
    });
  });

  it("are acknowledged when the app asks for the next one, not before", async () => {
    await using harness = await startConnected();
    const messages = harness.connection.messages();
    push(harness.socket, "a");
    await take(messages);
    // Whatever was sent before this call would come before it.
    void harness.connection.chat.listBlockedAccounts({}).catch(() => undefined);
    expect((await harness.socket.nextFrame()).$case).to.equal("call");

    void messages.next();

    expect(await acknowledged(harness.socket, 1)).to.deep.equal([["a"]]);
  });

  it("are acknowledged when the handler has resolved, not before", async () => {
    await using harness = await startConnected();
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const begun = new Promise<void>((resolve) => {
      void harness.connection.eachMessage(() => {
        resolve();
        return finished;
      });
    });
    push(harness.socket, "a");
    await begun;
    void harness.connection.chat.listBlockedAccounts({}).catch(() => undefined);
    expect((await harness.socket.nextFrame()).$case).to.equal("call");

    finish();

    expect(await acknowledged(harness.socket, 1)).to.deep.equal([["a"]]);
  });

  it("are acknowledged together when they are handled together", async () => {
    await using harness = await startConnected();
    const messages = harness.connection.messages();
    push(harness.socket, "a", "b", "c", "d");
    const first = await take(messages);
    await new Promise((resolve) => setImmediate(resolve));
    harness.socket.event({ queueEmpty: {} });
    for await (const event of harness.connection.events()) {
      expect(event.type).to.equal("queueEmpty");
      break;
    }

    const rest = [await take(messages), await take(messages), await take(messages)];
    void messages.next();

    expect([first, ...rest].map(({ id }) => id)).to.deep.equal(["a", "b", "c", "d"]);
    expect(await acknowledged(harness.socket, 4)).to.deep.equal([["a", "b", "c", "d"]]);
  });

  it("that the app failed on are not acknowledged and come first the next time", async () => {
    await using harness = await startConnected();
    push(harness.socket, "a", "b");

    const failure = await harness.connection
      .eachMessage(() => {
        throw new Error("cannot keep it");
      })
      .catch((error: Error) => error.message);
    const handled: string[] = [];
    void harness.connection.eachMessage(({ id }) => handled.push(id));
    const acks = await acknowledged(harness.socket, 2);

    expect(failure).to.equal("cannot keep it");
    expect(handled).to.deep.equal(["a", "b"]);
    expect(acks.flat()).to.deep.equal(["a", "b"]);
  });

  it("that come again while they wait or are handled reach the app once", async () => {
    await using harness = await startConnected();
    const messages = harness.connection.messages();
    push(harness.socket, "a", "a", "b");
    const first = await take(messages);
    push(harness.socket, "a", "c");

    const rest = [await take(messages), await take(messages)];

    expect([first, ...rest].map(({ id }) => id)).to.deep.equal(["a", "b", "c"]);
  });

  it("that come again after they were handled are acknowledged again, without the app", async () => {
    await using harness = await startConnected();
    const handled: string[] = [];
    void harness.connection.eachMessage(({ id }) => handled.push(id));
    push(harness.socket, "a");
    await acknowledged(harness.socket, 1);
    harness.socket.cut();
    (await harness.timers.set(250)).run();
    const socket = await serveExchange(harness.server, 3);

    push(socket, "a", "b");
    const acks = await acknowledged(socket, 2);

    expect(acks.flat()).to.deep.equal(["a", "b"]);
    expect(handled).to.deep.equal(["a", "b"]);
  });

  it("handled while there was no socket are acknowledged on the next one", async () => {
    await using harness = await startConnected();
    const messages = harness.connection.messages();
    push(harness.socket, "a");
    await take(messages);
    harness.socket.cut();
    const wait = await harness.timers.set(250);
    void messages.next();

    wait.run();
    const socket = await serveExchange(harness.server, 3);

    expect(await acknowledged(socket, 1)).to.deep.equal([["a"]]);
  });

  it("are acknowledged only after the app's own memory of them has them", async () => {
    let remember = (): void => undefined;
    const asked: string[] = [];
    const seen = {
      has: () => false,
      add: (id: string) => {
        asked.push(id);
        return new Promise<void>((resolve) => {
          remember = resolve;
        });
      },
    };
    await using harness = await startConnected({ seen });
    const messages = harness.connection.messages();
    push(harness.socket, "a");
    await take(messages);
    void messages.next();
    void harness.connection.chat.listBlockedAccounts({}).catch(() => undefined);
    expect((await harness.socket.nextFrame()).$case).to.equal("call");

    remember();

    expect(asked).to.deep.equal(["a"]);
    expect(await acknowledged(harness.socket, 1)).to.deep.equal([["a"]]);
  });

  it("end when the connection is over", async () => {
    await using harness = await startConnected();
    const next = harness.connection.messages().next();

    harness.socket.close(4401);

    expect((await next).done).to.equal(true);
  });

  it("end when the app's signal aborts", async () => {
    await using harness = await startConnected();
    const controller = new AbortController();
    const next = harness.connection.messages(controller.signal).next();

    controller.abort();

    expect((await next).done).to.equal(true);
  });
});

describe("the memory of handled messages", () => {
  it("forgets the oldest when it is full", () => {
    const seen = memorySeenMessages(2);

    for (const id of ["a", "b", "a", "c"]) {
      seen.add(id);
    }

    expect(["a", "b", "c"].map((id) => seen.has(id))).to.deep.equal([false, true, true]);
  });
});
