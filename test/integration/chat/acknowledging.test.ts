import { expect } from "chai";
import type { Binary } from "mongodb";
import { newUuid } from "../../../platform/ids.ts";
import { MessageState, State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { shiftBytes } from "../../../services/chat/at-rest/caesar.ts";
import { messageIdOf } from "../../../services/chat/delivery/sending.ts";
import { ChatStack } from "./chat-stack.ts";
import { as } from "./fake-gateway.ts";
import { refusalOf } from "./refusal.ts";

describe("acknowledging", () => {
  it("touches the caller's own inbox only", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob, mallory] = [stack.invite(), stack.invite(), stack.invite()];
    const clientMessageId = newUuid();
    const { messageId } = await gateway.send(alice, bob, clientMessageId, "for bob");

    await gateway.chat.ackMessages({ messageIds: [messageId] }, as(mallory));
    await gateway.chat.ackMessages({ messageIds: [messageId] }, as(alice));

    const { states } = await gateway.chat.getMessageStates({ clientMessageIds: [clientMessageId] }, as(alice));
    const { messages } = await gateway.chat.listPending({ pageSize: 0 }, as(bob));
    expect(states[0]?.state).to.equal(MessageState.PENDING);
    expect(messages).to.have.lengthOf(1);
  });

  it("is scoped also when both acknowledge in the same moment", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob, mallory] = [stack.invite(), stack.invite(), stack.invite()];
    const { messageId } = await gateway.send(alice, bob, newUuid(), "for bob");

    await Promise.all([mallory, bob, mallory].map((account) => gateway.chat.ackMessages({ messageIds: [messageId] }, as(account))));

    expect(await stack.documents("inbox")).to.have.lengthOf(0);
  });

  it("is not lost when it comes before its message is written down, as after the end of the copy that pushed it", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const recipient = await gateway.open(bob);
    const clientMessageId = newUuid();

    await gateway.chat.ackMessages({ messageIds: [messageIdOf(alice, clientMessageId)] }, as(bob));
    const { state } = await gateway.send(alice, bob, clientMessageId, "pushed by a copy that is gone");

    expect(state).to.equal(State.DELIVERED);
    expect(recipient.events.map(({ $case }) => $case)).to.deep.equal(["queueEmpty"]);
    expect(await stack.documents("inbox")).to.have.lengthOf(0);
  });

  it("counts once however often it is repeated, and takes unknown ids", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const sender = await gateway.open(alice);
    const clientMessageId = newUuid();
    const { messageId } = await gateway.send(alice, bob, clientMessageId, "once");
    const ids = { messageIds: [messageId, newUuid(), messageId.toUpperCase()] };

    await Promise.all([1, 2, 3].map(() => gateway.chat.ackMessages(ids, as(bob))));
    await gateway.chat.ackMessages(ids, as(bob));
    await gateway.send(bob, alice, newUuid(), "the end");
    await sender.receive(1);

    const delivered = sender.events.flatMap((event) => (event.$case === "delivered" ? [event.value] : []));
    expect(delivered.map((event) => [event.messageId, event.clientMessageId, event.recipientAccountId])).to.deep.equal([
      [messageId, clientMessageId, bob],
    ]);
    expect(delivered[0]?.deliveredAt).to.be.instanceOf(Date);
  });

  it("is told to the sender once, on its current socket, when two sockets of the recipient acknowledge", async () => {
    await using stack = await ChatStack.start({ lingerMs: 10 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const [displaced, sender] = [await gateway.open(alice), await gateway.open(alice)];
    await sender.receiveEvent("queueEmpty");
    const { messageId } = await gateway.send(alice, bob, newUuid(), "once");
    const older = await gateway.open(bob);
    await older.receive(1);
    const newer = await gateway.open(bob);
    await newer.receive(1);

    const bodies = await stack.documents("inbox");
    await Promise.all([older.ack(messageId), newer.ack(messageId)]);
    // As a crash between ledger and inbox leaves it.
    await stack.collection("inbox").insertMany(bodies);
    await older.ack(messageId);
    const last = await gateway.send(bob, alice, newUuid(), "the end");
    await sender.receive(1);

    expect(sender.story).to.deep.equal(["queueEmpty", "delivered", "the end"]);
    expect(displaced.story).to.not.include("delivered");
    expect(last.state).to.equal(State.STORED);
  });

  it("takes at most 256 ids from a socket at a time", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const socket = await gateway.attach(stack.invite());

    await socket.ack(...Array.from({ length: 256 }, newUuid));
    const refused = await refusalOf(socket.ack(...Array.from({ length: 257 }, newUuid)));

    expect(refused.violations.map(({ field }) => field)).to.deep.equal(["messageIds"]);
  });

  it("tells the sender on another gateway, also of a message that was never stored", async () => {
    await using stack = await ChatStack.start({ lingerMs: 5_000 });
    const [here, there] = [await stack.gateway(), await stack.gateway()];
    const [alice, bob] = [stack.invite(), stack.invite()];
    const [sender, recipient] = [await here.open(alice), await there.open(bob)];
    await recipient.receiveEvent("queueEmpty");

    const sending = here.send(alice, bob, newUuid(), "direct");
    const [message] = await recipient.receive(1);
    await recipient.ack(message?.id ?? "");
    await sender.receiveEvent("delivered");

    expect((await sending).state).to.equal(State.DELIVERED);
  });

  for (const atRest of ["caesar", "aes-256-gcm"] as const) {
    it(`leaves no trace of the body in any collection (${atRest})`, async () => {
      await using stack = await ChatStack.start({ lingerMs: 10, atRest });
      const gateway = await stack.gateway();
      const [alice, bob] = [stack.invite(), stack.invite()];
      const body = Buffer.from("the quick brown fox jumps over the lazy dog");
      const socket = await gateway.open(bob);
      await socket.receiveEvent("queueEmpty");
      const { messageId } = await gateway.send(alice, bob, newUuid(), body);
      const [document] = await stack.documents("inbox");
      const stored = leaves(document?.["sealed"].body)[0] ?? Buffer.alloc(0);

      await socket.ack(messageId);

      expect(stored.equals(body)).to.equal(false);
      expect(holds(await stack.everything(), body)).to.equal(false);
      expect(holds([{ ciphertext: stored }], stored)).to.equal(true);
      expect(holds(await stack.everything(), stored)).to.equal(false);
    });
  }
});

/** Whether documents hold bytes: in clear, as base64, or under any Caesar shift. */
function holds(documents: readonly object[], bytes: Buffer): boolean {
  const everything = Buffer.concat(documents.flatMap(leaves));
  const shapes = Array.from({ length: 256 }, (_, shift) => shiftBytes(bytes, shift)).flatMap((shifted) => [
    shifted,
    Buffer.from(shifted.toString("base64").replace(/=+$/, "")),
    Buffer.from(shifted.toString("base64url")),
  ]);
  return shapes.some((shape) => everything.includes(shape));
}

function leaves(value: unknown): Buffer[] {
  if (typeof value === "string") {
    return [Buffer.from(value)];
  }
  if (value instanceof Uint8Array) {
    return [Buffer.from(value)];
  }
  if (typeof value === "object" && value !== null) {
    return "_bsontype" in value && value._bsontype === "Binary"
      ? [Buffer.from((value as Binary).buffer)]
      : Object.values(value).flatMap(leaves);
  }
  return [];
}
