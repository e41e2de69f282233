import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { MessageState, type SendMessageResponse, State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { ChatStack } from "./chat-stack.ts";
import { as } from "./fake-gateway.ts";
import { refusalOf } from "./refusal.ts";

describe("sending the same message again", () => {
  it("gives one message, time and receipt for a hundred parallel repeats", async () => {
    await using stack = await ChatStack.start({ lingerMs: 30 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const socket = await gateway.open(bob);
    const clientMessageId = newUuid();

    const answers = await Promise.all(Array.from({ length: 100 }, () => gateway.send(alice, bob, clientMessageId, "once")));

    expect(new Set(answers.map(fixedPart)).size).to.equal(1);
    expect(await stack.documents("inbox")).to.have.lengthOf(1);
    await socket.receive(1);
    await socket.ack(answers[0]?.messageId ?? "");
    expect(socket.messages).to.have.lengthOf(1);
  });

  it("takes an id in upper and lower case for one", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const clientMessageId = newUuid();

    const first = await gateway.send(alice, bob, clientMessageId.toUpperCase(), "one");
    const second = await gateway.send(alice, bob.toUpperCase(), clientMessageId, "one");

    expect(fixedPart(second)).to.equal(fixedPart(first));
  });

  it("gives the same after delivery, a block, a full inbox and a restart", async () => {
    await using stack = await ChatStack.start({ bounds: { messages: 2, bytes: 1_000 } });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const [taken, waiting, filling] = [newUuid(), newUuid(), newUuid()];
    const firstTaken = await gateway.send(alice, bob, taken, "taken");
    await gateway.chat.ackMessages({ messageIds: [firstTaken.messageId] }, as(bob));
    const firstWaiting = await gateway.send(alice, bob, waiting, "waiting");
    await gateway.send(alice, bob, filling, "filling");
    await gateway.chat.blockAccount({ accountId: alice }, as(bob));
    await stack.stopService();
    await stack.startService();
    await gateway.connected();

    const againTaken = await gateway.send(alice, bob, taken, "taken");
    const againWaiting = await gateway.send(alice, bob, waiting, "waiting");

    expect([fixedPart(againTaken), againTaken.state]).to.deep.equal([fixedPart(firstTaken), State.DELIVERED]);
    expect([fixedPart(againWaiting), againWaiting.state]).to.deep.equal([fixedPart(firstWaiting), State.STORED]);
    expect(await stack.documents("inbox")).to.have.lengthOf(2);
  });

  it("refuses another body or recipient under the same id", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob, carol] = [stack.invite(), stack.invite(), stack.invite()];
    const clientMessageId = newUuid();
    await gateway.send(alice, bob, clientMessageId, "first");

    const refusals = [
      await refusalOf(gateway.send(alice, bob, clientMessageId, "second")),
      await refusalOf(gateway.send(alice, carol, clientMessageId, "first")),
    ];

    for (const { status, reason } of refusals) {
      expect([status, reason]).to.deep.equal(["ALREADY_EXISTS", "CLIENT_MESSAGE_ID_REUSED"]);
    }
  });

  it("accepts one of two different messages that come at once under one id", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const clientMessageId = newUuid();

    const outcomes = await Promise.allSettled(["left", "right"].map((body) => gateway.send(alice, bob, clientMessageId, body)));

    expect(outcomes.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected"]);
    expect(await stack.documents("inbox")).to.have.lengthOf(1);
  });

  it("gives a claim whose body was lost its body back, with the recorded time", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const clientMessageId = newUuid();
    const first = await gateway.send(alice, bob, clientMessageId, "lost");
    await stack.collection("inbox").deleteMany({});
    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");

    const again = await gateway.send(alice, bob, clientMessageId, "lost");
    const [message] = await socket.receive(1);

    expect(fixedPart(again)).to.equal(fixedPart(first));
    expect([message?.id, message?.receipt, message?.sentAt]).to.deep.equal([first.messageId, first.receipt, first.sentAt]);
  });

  it("tells the sender alone what became of a message", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const [pending, delivered, unknown] = [newUuid(), newUuid(), newUuid()];
    await gateway.send(alice, bob, pending, "pending");
    const { messageId } = await gateway.send(alice, bob, delivered, "delivered");
    await gateway.chat.ackMessages({ messageIds: [messageId] }, as(bob));
    const clientMessageIds = [delivered, unknown, pending.toUpperCase()];

    const mine = await gateway.chat.getMessageStates({ clientMessageIds }, as(alice));
    const others = await gateway.chat.getMessageStates({ clientMessageIds: [pending] }, as(bob));

    expect(mine.states).to.deep.equal([
      { clientMessageId: delivered, state: MessageState.DELIVERED },
      { clientMessageId: unknown, state: MessageState.UNKNOWN },
      { clientMessageId: pending.toUpperCase(), state: MessageState.PENDING },
    ]);
    expect(others.states).to.deep.equal([{ clientMessageId: pending, state: MessageState.UNKNOWN }]);
  });
});

function fixedPart({ messageId, sentAt, receipt }: SendMessageResponse): string {
  return JSON.stringify([messageId, sentAt, receipt]);
}
