import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { ChatStack } from "./chat-stack.ts";
import { DatabaseWay } from "./database-way.ts";
import { as } from "./fake-gateway.ts";
import { refusalOf } from "./refusal.ts";

describe("while the database cannot be asked", () => {
  it("a message is unavailable, and accepted once when it comes again", async () => {
    await using path = await throughProxy();
    await using stack = await ChatStack.start({ database: path.database });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const clientMessageId = newUuid();

    await path.cut();
    const refused = await refusalOf(gateway.send(alice, bob, clientMessageId, "again"));
    await path.open();
    const sent = await gateway.send(alice, bob, clientMessageId, "again");

    expect([refused.status, refused.reason]).to.deep.equal(["UNAVAILABLE", "DATABASE_UNAVAILABLE"]);
    expect(sent.state).to.equal(State.STORED);
    expect(await stack.documents("inbox")).to.have.lengthOf(1);
  });

  it("an acknowledgement of what was never stored is kept until it can be written down, and nothing is pushed twice", async () => {
    await using path = await throughProxy();
    await using stack = await ChatStack.start({ database: path.database, lingerMs: 60_000 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");
    const clientMessageId = newUuid();
    const sending = refusalOf(gateway.send(alice, bob, clientMessageId, "kept in mind"));
    const [message] = await socket.receive(1);

    await path.cut();
    const acknowledged = await refusalOf(socket.ack(message?.id ?? ""));
    const refused = await sending;
    await path.open();
    const sent = await gateway.send(alice, bob, clientMessageId, "kept in mind");

    expect([acknowledged.status, refused.status]).to.deep.equal(["UNAVAILABLE", "UNAVAILABLE"]);
    expect([sent.state, sent.messageId]).to.deep.equal([State.DELIVERED, message?.id]);
    expect(socket.messages).to.have.lengthOf(1);
    expect(await stack.documents("inbox")).to.have.lengthOf(0);
  });

  it("a message that was pushed is not refused on its retry, neither for a block nor for a full inbox, but under another body", async () => {
    await using path = await throughProxy();
    await using stack = await ChatStack.start({ database: path.database, lingerMs: 400, bounds: { messages: 1, bytes: 1_000 } });
    const gateway = await stack.gateway();
    const [alice, bob, carol] = [stack.invite(), stack.invite(), stack.invite()];
    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");
    const clientMessageId = newUuid();
    const sending = refusalOf(gateway.send(alice, bob, clientMessageId, "pushed"));
    await socket.receive(1);
    await path.cut();
    const refused = await sending;
    await path.open();
    await gateway.chat.blockAccount({ accountId: alice }, as(bob));
    await gateway.send(carol, bob, newUuid(), "fills");

    const otherBody = await refusalOf(gateway.send(alice, bob, clientMessageId, "another"));
    const sent = await gateway.send(alice, bob, clientMessageId, "pushed");

    expect(refused.status).to.equal("UNAVAILABLE");
    expect([otherBody.status, otherBody.reason]).to.deep.equal(["ALREADY_EXISTS", "CLIENT_MESSAGE_ID_REUSED"]);
    expect([sent.state, sent.messageId]).to.deep.equal([State.STORED, socket.messages[0]?.id]);
    expect(socket.story).to.deep.equal(["queueEmpty", "pushed", "fills"]);
  });
});

async function throughProxy(): Promise<
  AsyncDisposable & { database: (uri: string) => Promise<string>; cut: () => unknown; open: () => unknown }
> {
  let way: DatabaseWay | undefined;
  return {
    database: async (uri) => {
      way = await DatabaseWay.to(uri);
      return way.uri;
    },
    cut: () => way?.cut(),
    open: () => way?.open(),
    [Symbol.asyncDispose]: async () => way?.[Symbol.asyncDispose](),
  };
}
