import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { expect } from "chai";
import { AckMessagesRequest } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { ActivateRequest, AttachRequest, CreditRequest } from "../../../proto/gen/sallyport/chat/v1/delivery.ts";
import type { Event } from "../../../proto/gen/sallyport/gateway/v1/events.ts";
import { ACCOUNT, type Fake, startFakeChat } from "./fake-services.ts";
import { type Stack, startStack, TestSocket } from "./harness.ts";

function message(id: string = randomUUID(), body: Buffer = Buffer.from("hi")): Event {
  return {
    kind: {
      $case: "message",
      value: { id, clientMessageId: randomUUID(), senderAccountId: ACCOUNT, sentAt: new Date(1), body, receipt: "r" },
    },
  };
}

interface AttachedSocket {
  readonly socket: TestSocket;
  readonly activation: ActivateRequest;
  readonly push: (event: Event) => void;
}

async function attachedSocket({ gateway, chat }: Stack): Promise<AttachedSocket> {
  const activated = once(chat.asked, "activate");
  const socket = await new TestSocket(gateway.address).exchange();
  const [activation] = (await activated) as [ActivateRequest];
  return { socket, activation, push: (event) => pushTo(chat, activation, event) };
}

function pushTo(chat: Fake, { connection, epoch }: ActivateRequest, event: Event): void {
  for (const gateway of chat.gateways) {
    gateway.push(connection, epoch, event);
  }
}

describe("the events of a socket", () => {
  it("are text frames in the order in which they were pushed", async () => {
    await using stack = await startStack();
    const { socket, push } = await attachedSocket(stack);
    using _socket = socket;
    const [first, second] = [randomUUID(), randomUUID()];

    push(message(first));
    push(message(second));
    push({ kind: { $case: "queueEmpty", value: {} } });

    expect((await socket.nextEvent())["message"]).to.include({ id: first, sentAt: "1970-01-01T00:00:00.001Z", body: "aGk=" });
    expect((await socket.nextEvent())["message"]).to.include({ id: second });
    expect(await socket.nextEvent()).to.deep.equal({ queueEmpty: {} });
  });

  it("come once, whoever pushes them again, and a push of an acknowledged message is acknowledged again", async () => {
    await using stack = await startStack();
    const { socket, push } = await attachedSocket(stack);
    using _socket = socket;
    const id = randomUUID();
    push(message(id));
    push(message(id));
    await socket.nextEvent();
    const acknowledged = once(stack.chat.asked, "acknowledge");
    socket.send({ $case: "ack", value: { messageIds: [id.toUpperCase(), "no id", id] } });
    const [first] = (await acknowledged) as [AckMessagesRequest];

    const again = once(stack.chat.asked, "acknowledge");
    push(message(id));
    push({ kind: { $case: "queueEmpty", value: {} } });
    const [second] = (await again) as [AckMessagesRequest];

    expect(first.messageIds).to.deep.equal([id]);
    expect(second.messageIds).to.deep.equal([id]);
    expect(await socket.nextEvent()).to.deep.equal({ queueEmpty: {} });
  });

  it("of another epoch are dropped", async () => {
    await using stack = await startStack();
    const { socket, activation, push } = await attachedSocket(stack);
    using _socket = socket;

    pushTo(stack.chat, { ...activation, epoch: activation.epoch + 1 }, message());
    push({ kind: { $case: "queueEmpty", value: {} } });

    expect(await socket.nextEvent()).to.deep.equal({ queueEmpty: {} });
  });

  for (const [title, event, expected] of [
    [
      "what became of a message",
      { $case: "delivered", value: { messageId: ACCOUNT, clientMessageId: "", recipientAccountId: "", deliveredAt: undefined } },
      { delivered: { messageId: ACCOUNT } },
    ],
    ["that a newer socket took over", { $case: "displaced", value: {} }, { displaced: {} }],
  ] as const) {
    it(`arrive from the chat copy that the socket is not attached to: ${title}`, async () => {
      await using other = await startFakeChat();
      await using stack = await startStack({}, {}, {}, { moreChats: [other] });
      const activated = [stack.chat, other].map(async (copy) => {
        const [activation] = (await once(copy.asked, "activate")) as [ActivateRequest];
        return { activation, stranger: copy === other ? stack.chat : other };
      });
      using socket = await new TestSocket(stack.gateway.address).exchange();
      const { activation, stranger } = await Promise.race(activated);

      pushTo(stranger, { ...activation, epoch: activation.epoch + 1 }, { kind: { $case: "queueEmpty", value: {} } });
      pushTo(stranger, activation, { kind: event });

      expect(await socket.nextEvent()).to.deep.equal(expected);
    });
  }

  it("come on after they were acknowledged by a call", async () => {
    await using stack = await startStack({ chat: { ackMessages: () => ({}) } });
    const { socket, push } = await attachedSocket(stack);
    using _socket = socket;
    const ids = Array.from({ length: 256 }, () => randomUUID());
    for (const id of ids) {
      push(message(id));
      await socket.nextEvent();
    }

    socket.call(1, "/sallyport.chat.v1.ChatService/AckMessages", AckMessagesRequest.encode({ messageIds: ids }).finish());
    const { code } = await socket.nextReply();
    push(message("33333333-3333-4333-8333-333333333333"));

    expect(code).to.equal(0);
    expect((await socket.nextEvent())["message"]).to.include({ id: "33333333-3333-4333-8333-333333333333" });
  });

  it("are acknowledged 256 at a time, one call after the other", async () => {
    const calls: string[][] = [];
    let inFlight = 0;
    let most = 0;
    await using stack = await startStack({
      delivery: {
        acknowledge: async ({ messageIds }) => {
          calls.push(messageIds);
          inFlight += 1;
          most = Math.max(most, inFlight);
          await new Promise(setImmediate);
          inFlight -= 1;
          return {};
        },
      },
    });
    const { socket } = await attachedSocket(stack);
    using _socket = socket;
    const ids = Array.from({ length: 3_000 }, () => randomUUID());
    const last = new Promise<void>((resolve) => {
      stack.chat.asked.on("acknowledge", ({ messageIds }: AckMessagesRequest) => {
        if (messageIds.includes(ids.at(-1) as string)) {
          resolve();
        }
      });
    });

    socket.send({ $case: "ack", value: { messageIds: ids } });
    await last;

    expect(most).to.equal(1);
    expect(Math.max(...calls.map(({ length }) => length))).to.equal(256);
    expect(calls.flat()).to.deep.equal(ids);
  });

  it("close a socket with 4008 that acknowledges faster than it can be handed on", async () => {
    await using stack = await startStack({ delivery: { acknowledge: () => new Promise(() => undefined) } });
    const { socket } = await attachedSocket(stack);
    using _socket = socket;

    for (let frame = 0; frame < 7; frame += 1) {
      socket.send({ $case: "ack", value: { messageIds: Array.from({ length: 3_000 }, () => randomUUID()) } });
    }

    expect(await socket.closed).to.equal(4008);
  });

  it("credit what has left the socket", async () => {
    await using stack = await startStack();
    const { socket, activation, push } = await attachedSocket(stack);
    using _socket = socket;
    const credited = once(stack.chat.asked, "credit");

    push(message(undefined, Buffer.alloc(65_536)));
    const [credit] = (await credited) as [CreditRequest];

    expect({ ...activation, bytes: 65_536 }).to.include(credit);
  });

  it("end with a displaced event; calls go on, and 10 s later the socket is closed with 4409", async () => {
    let offset = 0;
    await using stack = await startStack({}, {}, { clock: () => Date.now() + offset });
    const { socket, push } = await attachedSocket(stack);
    using _socket = socket;

    push({ kind: { $case: "displaced", value: {} } });
    push(message());
    const event = await socket.nextEvent();
    socket.call(1, "/sallyport.chat.v1.ChatService/ListBlockedAccounts");
    const reply = await socket.nextReply();
    offset = 9_000;
    socket.call(2, "/sallyport.chat.v1.ChatService/ListBlockedAccounts");
    await socket.nextReply();
    offset = 10_500;

    expect(event).to.deep.equal({ displaced: {} });
    expect(reply.code).to.equal(0);
    expect(await socket.closed).to.equal(4409);
  });

  it("go on after the stream was lost: the socket attaches again with what is in flight", async () => {
    await using stack = await startStack();
    const { socket, push } = await attachedSocket(stack);
    using _socket = socket;
    const id = randomUUID();
    push(message(id));
    push({ kind: { $case: "queueEmpty", value: {} } });
    await socket.nextEvent();
    await socket.nextEvent();

    await stack.chat[Symbol.asyncDispose]();
    await using chat = await startFakeChat({}, stack.chat.address);
    const leased = once(chat.asked, "renewLease");
    const [[attach], [activation]] = (await Promise.all([once(chat.asked, "attach"), once(chat.asked, "activate"), leased])) as unknown as [
      [AttachRequest],
      [ActivateRequest],
    ];
    pushTo(chat, activation, message(id));
    pushTo(chat, activation, message("33333333-3333-4333-8333-333333333333"));

    expect(attach.inFlightMessageIds).to.deep.equal([id]);
    expect(attach.queueEmptied).to.equal(true);
    expect((await socket.nextEvent())["message"]).to.include({ id: "33333333-3333-4333-8333-333333333333" });
  });

  it("are given up when the socket closes: it is detached and released", async () => {
    await using stack = await startStack();
    const { socket, activation } = await attachedSocket(stack);
    const told = Promise.all([once(stack.chat.asked, "detach"), once(stack.account.asked, "releaseConnection")]);

    socket.ws.close();
    const [[detach], [release]] = await told;

    expect(activation).to.include(detach);
    expect(release.connection).to.equal(activation.connection);
  });

  it("detaches a socket that closed while it was being attached, and never activates it", async () => {
    let finish: () => void = () => undefined;
    await using stack = await startStack({
      delivery: {
        attach: () =>
          new Promise((resolve) => {
            finish = () => resolve({ epoch: 77 });
          }),
      },
    });
    let activations = 0;
    stack.chat.asked.on("activate", () => {
      activations += 1;
    });
    const attaching = once(stack.chat.asked, "attach");
    const socket = await new TestSocket(stack.gateway.address).exchange();
    await attaching;
    const released = once(stack.account.asked, "releaseConnection");
    socket.ws.terminate();
    await released;
    const detached = once(stack.chat.asked, "detach");

    finish();
    const [detach] = await detached;

    expect(detach.epoch).to.equal(77);
    expect(activations).to.equal(0);
  });
});
