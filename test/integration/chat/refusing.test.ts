import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { ChatStack } from "./chat-stack.ts";
import { as } from "./fake-gateway.ts";
import { refusalOf } from "./refusal.ts";

describe("refusing a message", () => {
  it("lets an unknown recipient and one who blocked the sender look alike", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    await gateway.chat.blockAccount({ accountId: alice.toUpperCase() }, as(bob));

    const unknown = await refusalOf(gateway.send(alice, newUuid(), newUuid(), "to nobody"));
    const blocked = await refusalOf(gateway.send(alice, bob, newUuid(), "to bob"));

    expect([unknown.status, unknown.reason]).to.deep.equal(["NOT_FOUND", "RECIPIENT_NOT_FOUND"]);
    expect([blocked.status, blocked.reason, blocked.message]).to.deep.equal([unknown.status, unknown.reason, unknown.message]);
  });

  it("does not use up the id of a refused message", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob, carol] = [stack.invite(), stack.invite(), stack.invite()];
    await gateway.chat.blockAccount({ accountId: alice }, as(bob));
    const clientMessageId = newUuid();
    await refusalOf(gateway.send(alice, bob, clientMessageId, "refused"));

    const sent = await gateway.send(alice, carol, clientMessageId, "another");

    expect(sent.state).to.equal(State.STORED);
  });

  it("blocks from then on, lists whom, and unblocks; each may be repeated", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob, nobody] = [stack.invite(), stack.invite(), newUuid()];
    const before = await gateway.send(alice, bob, newUuid(), "before the block");
    for (const accountId of [alice, nobody, alice]) {
      await gateway.chat.blockAccount({ accountId }, as(bob));
    }

    const listed = await gateway.chat.listBlockedAccounts({}, as(bob));
    const pending = await gateway.chat.listPending({ pageSize: 0 }, as(bob));
    await gateway.chat.unblockAccount({ accountId: alice }, as(bob));
    await gateway.chat.unblockAccount({ accountId: alice }, as(bob));
    const after = await gateway.send(alice, bob, newUuid(), "after the block");

    expect(listed.accountIds).to.deep.equal([alice, nobody].sort());
    expect(pending.messages.map(({ id }) => id)).to.deep.equal([before.messageId]);
    expect(after.state).to.equal(State.STORED);
  });

  it("fills an inbox to exactly its bound, whether one waits for the answers or not, and takes one for each that leaves", async () => {
    await using stack = await ChatStack.start({ bounds: { messages: 5, bytes: 1_000_000 } });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const first = await gateway.send(alice, bob, newUuid(), "first");

    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => gateway.send(alice, bob, newUuid(), `${index}`)));
    const refused = await refusalOf(gateway.send(alice, bob, newUuid(), "too much"));
    await gateway.chat.ackMessages({ messageIds: [first.messageId] }, as(bob));
    await gateway.send(alice, bob, newUuid(), "fits again");
    const refusedAgain = await refusalOf(gateway.send(alice, bob, newUuid(), "too much again"));

    expect(outcomes.map(({ status }) => status)).to.deep.equal([...Array(4).fill("fulfilled"), ...Array(16).fill("rejected")]);
    expect([refused.status, refused.reason]).to.deep.equal(["RESOURCE_EXHAUSTED", "INBOX_FULL"]);
    expect(refusedAgain.reason).to.equal("INBOX_FULL");
    expect(await stack.documents("inbox")).to.have.lengthOf(5);
  });

  it("bounds the bytes of an inbox", async () => {
    await using stack = await ChatStack.start({ bounds: { messages: 100, bytes: 10 } });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    await gateway.send(alice, bob, newUuid(), "123456");

    const refused = await refusalOf(gateway.send(alice, bob, newUuid(), "12345"));
    const sent = await gateway.send(alice, bob, newUuid(), "1234");

    expect(refused.reason).to.equal("INBOX_FULL");
    expect(sent.state).to.equal(State.STORED);
  });

  it("pushes nothing that it refuses", async () => {
    await using stack = await ChatStack.start({ bounds: { messages: 1, bytes: 1_000 }, lingerMs: 20 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");
    await gateway.send(alice, bob, newUuid(), "fills");

    const refused = await refusalOf(gateway.send(alice, bob, newUuid(), "refused"));
    await gateway.send(bob, bob, newUuid(), "also refused").catch(() => undefined);

    expect(refused.reason).to.equal("INBOX_FULL");
    expect(socket.story).to.deep.equal(["queueEmpty", "fills"]);
  });
});
