import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { ChatStack } from "./chat-stack.ts";

describe("delivering first", () => {
  it("answers delivered, and the body never reaches the database, when the recipient acknowledges promptly", async () => {
    await using stack = await ChatStack.start({ lingerMs: 5_000 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");

    const sending = gateway.send(alice, bob, newUuid(), "never written down");
    const [message] = await socket.receive(1);
    await socket.ack(message?.id ?? "");
    const sent = await sending;

    expect(sent.state).to.equal(State.DELIVERED);
    expect(sent.messageId).to.equal(message?.id);
    expect(sent.receipt).to.equal(message?.receipt);
    expect(sent.sentAt).to.deep.equal(message?.sentAt);
    expect(await stack.documents("inbox")).to.have.lengthOf(0);
    expect(await stack.documents("sends")).to.have.lengthOf(1);
  });

  it("stores a message that is not acknowledged in time, and removes the body once it is", async () => {
    await using stack = await ChatStack.start({ lingerMs: 20 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");

    const sent = await gateway.send(alice, bob, newUuid(), "written down for a while");
    const waiting = await stack.documents("inbox");
    await socket.ack(sent.messageId);

    expect(sent.state).to.equal(State.STORED);
    expect(waiting).to.have.lengthOf(1);
    expect(await stack.documents("inbox")).to.have.lengthOf(0);
    expect(socket.story).to.deep.equal(["queueEmpty", "written down for a while"]);
  });
});
