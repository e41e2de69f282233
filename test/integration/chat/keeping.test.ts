import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { rotateKeys } from "../../../platform/keys/rotation.ts";
import { MessageState, State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { ChatStack } from "./chat-stack.ts";
import { as } from "./fake-gateway.ts";
import { refusalOf } from "./refusal.ts";

const DAY_MS = 86_400_000;

describe("keeping messages", () => {
  it("lists what waits by pages of 1 MiB, oldest first", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    for (let index = 0; index < 17; index += 1) {
      await gateway.send(alice, bob, newUuid(), Buffer.alloc(65_536, index));
    }

    const all = await gateway.chat.listPending({ pageSize: 0 }, as(bob));
    const two = await gateway.chat.listPending({ pageSize: 2 }, as(bob));
    const refused = await refusalOf(gateway.chat.listPending({ pageSize: 257 }, as(bob)));

    expect(all.messages.map(({ body }) => body[0])).to.deep.equal(Array.from({ length: 16 }, (_, index) => index));
    expect(two.messages.map(({ body }) => body[0])).to.deep.equal([0, 1]);
    expect(refused.violations.map(({ field }) => field)).to.deep.equal(["pageSize"]);
  });

  it("brings messages back to the letter after a restart with other keys and another scheme", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const clientMessageId = newUuid();
    const sent = await gateway.send(alice, bob, clientMessageId, "kept");
    await stack.stopService();
    await rotateKeys(stack.config.keysDir);
    await stack.startService({}, { atRest: "aes-256-gcm" });
    await gateway.connected();
    await gateway.send(alice, bob, newUuid(), "later");

    const { messages } = await gateway.chat.listPending({ pageSize: 0 }, as(bob));
    const again = await gateway.send(alice, bob, clientMessageId, "kept");

    expect(messages.map(({ body }) => body.toString())).to.deep.equal(["kept", "later"]);
    expect(messages[0]).to.deep.include({ id: sent.messageId, sentAt: sent.sentAt, receipt: sent.receipt });
    expect([again.receipt, again.sentAt]).to.deep.equal([sent.receipt, sent.sentAt]);
    expect((await stack.documents("inbox")).map(({ sealed }) => sealed.scheme).sort((a, b) => a.localeCompare(b))).to.deep.equal([
      "aes-256-gcm",
      "caesar",
    ]);
  });

  it("removes what a crash left of a delivered message instead of bringing it again", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const sent = await gateway.send(alice, bob, newUuid(), "left behind");
    const left = await stack.documents("inbox");
    await gateway.chat.ackMessages({ messageIds: [sent.messageId] }, as(bob));
    await stack.collection("inbox").insertMany(left);

    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");

    expect(socket.story).to.deep.equal(["queueEmpty"]);
    expect(await stack.documents("inbox")).to.have.lengthOf(0);
  });

  it("expires what nobody takes in 30 days, and says so to its sender", async () => {
    let present = Date.now() - 31 * DAY_MS;
    await using stack = await ChatStack.start({ now: () => present, sweepMs: 20 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const [old, recent] = [newUuid(), newUuid()];
    const sent = await gateway.send(alice, bob, old, "old");
    present += 29 * DAY_MS;
    await gateway.send(alice, bob, recent, "recent");
    present += 2 * DAY_MS;

    const statesOf = async (): Promise<MessageState[]> =>
      (await gateway.chat.getMessageStates({ clientMessageIds: [old, recent] }, as(alice))).states.map(({ state }) => state);
    let states = await statesOf();
    while (states[0] === MessageState.PENDING || (await stack.documents("inbox")).length > 1) {
      states = await statesOf();
    }
    const again = await gateway.send(alice, bob, old, "old");

    expect(states).to.deep.equal([MessageState.EXPIRED, MessageState.PENDING]);
    expect([again.state, again.receipt]).to.deep.equal([State.EXPIRED, sent.receipt]);
    expect((await stack.documents("inbox")).map(({ clientMessageId }) => clientMessageId)).to.deep.equal([recent]);
  });

  it("finds by itself what another copy stored, and gives way to a socket that another copy took over", async () => {
    await using stack = await ChatStack.start({ lingerMs: 10, healMs: 30 });
    await using other = await stack.anotherCopy();
    const gateway = await stack.gateway();
    const elsewhere = await stack.gateway(other.address);
    const [alice, bob] = [stack.invite(), stack.invite()];
    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");

    const sent = await elsewhere.send(alice, bob, newUuid(), "by another copy");
    await socket.receive(1);
    await socket.ack(sent.messageId);
    const newer = await elsewhere.open(bob);
    await newer.receiveEvent("queueEmpty");
    await socket.receiveEvent("displaced");
    const late = await gateway.send(alice, bob, newUuid(), "late");
    await newer.receive(1);

    expect(newer.messages.map(({ id }) => id)).to.deep.equal([late.messageId]);
    expect(socket.story).to.deep.equal(["queueEmpty", "by another copy", "displaced"]);
  });

  it("brings everything but a body that cannot be read, which stays where it is", async () => {
    await using stack = await ChatStack.start({ atRest: "aes-256-gcm", healMs: 20 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const clientMessageIds = [newUuid(), newUuid(), newUuid()] as const;
    for (const [index, id] of clientMessageIds.entries()) {
      await gateway.send(alice, bob, id, `${index}`);
    }
    const [noKey, tampered] = (await stack.documents("inbox")).map(({ _id }) => _id);
    await stack.collection("inbox").updateOne({ _id: noKey }, { $set: { "sealed.kid": "0123456789abcdef" } });
    await stack.collection("inbox").updateOne({ _id: tampered }, { $set: { "sealed.body": Buffer.from("x") } });

    const listed = await gateway.chat.listPending({ pageSize: 1 }, as(bob));
    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");
    const sending = gateway.send(alice, bob, newUuid(), "later");
    await socket.receive(2);
    await sending;
    await socket.ack(...socket.messages.map(({ id }) => id));
    const { states } = await gateway.chat.getMessageStates({ clientMessageIds: [...clientMessageIds] }, as(alice));

    expect(listed.messages.map(({ body }) => body.toString())).to.deep.equal(["2"]);
    expect(socket.story).to.deep.equal(["2", "queueEmpty", "later"]);
    expect(states.map(({ state }) => state)).to.deep.equal([MessageState.PENDING, MessageState.PENDING, MessageState.DELIVERED]);
    expect((await stack.documents("inbox")).map(({ _id }) => _id)).to.deep.equal([noKey, tampered]);
  });

  it("is not blocked by more unreadable bodies than a page holds", async () => {
    await using stack = await ChatStack.start({ atRest: "aes-256-gcm" });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    await Promise.all(Array.from({ length: 300 }, (_, index) => gateway.send(alice, bob, newUuid(), `${index}`)));
    await stack.collection("inbox").updateMany({}, { $set: { "sealed.kid": "0123456789abcdef" } });
    await gateway.send(alice, bob, newUuid(), "readable");

    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");

    expect(socket.story).to.deep.equal(["readable", "queueEmpty"]);
  });

  it("forgets a message 7 days after its end, and then its id is free", async () => {
    const present = Date.now();
    await using stack = await ChatStack.start({ now: () => present });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const clientMessageId = newUuid();
    const { messageId } = await gateway.send(alice, bob, clientMessageId, "first");
    await gateway.chat.ackMessages({ messageIds: [messageId] }, as(bob));
    const indexes = await stack.collection("sends").indexes();
    // As that index does, by the clock of the database.
    const purge = (at: number) => stack.collection("sends").deleteMany({ purgeAt: { $lte: new Date(at) } });
    const stateOf = async () => (await gateway.chat.getMessageStates({ clientMessageIds: [clientMessageId] }, as(alice))).states[0]?.state;

    await purge(present + 7 * DAY_MS - 1);
    const before = await stateOf();
    await purge(present + 7 * DAY_MS);
    const after = await stateOf();
    const sent = await gateway.send(alice, bob, clientMessageId, "another body");

    expect(indexes.find(({ key }) => "purgeAt" in key)?.expireAfterSeconds).to.equal(0);
    expect([before, after]).to.deep.equal([MessageState.DELIVERED, MessageState.UNKNOWN]);
    expect([sent.state, sent.messageId]).to.deep.equal([State.STORED, messageId]);
  });
});
