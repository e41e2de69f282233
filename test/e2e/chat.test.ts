import { createHash, randomBytes, randomUUID } from "node:crypto";
import { expect } from "chai";
import { chatService } from "../../proto/gen/policy/services.ts";
import { MessageState, State } from "../../proto/gen/sallyport/chat/v1/chat.ts";
import { call, callOn, connectAndConfirm, logIn, type Person, refusalOn } from "../support/people.ts";
import type { RawSocket } from "../support/raw-socket.ts";
import { type Stack, sharedStack } from "../support/stack.ts";
import { tracesOf } from "../support/traces.ts";

const { sendMessage, listPending, ackMessages, getMessageStates, blockAccount, unblockAccount, listBlockedAccounts } = chatService.methods;

/** Somebody on a chat socket. */
interface Online extends Person {
  readonly socket: RawSocket;
  readonly refreshToken: Buffer;
  readonly accessToken: Buffer;
}

describe("chat", () => {
  let stack: Stack;
  const open: RawSocket[] = [];

  before(async () => {
    stack = await sharedStack();
  });

  afterEach(() => {
    for (const socket of open.splice(0)) {
      socket.cut();
    }
  });

  async function goOnline(person?: Person, refreshToken?: Buffer): Promise<Online> {
    const who = person ?? (await logIn(stack.httpUrl));
    const connected = await connectAndConfirm(stack.httpUrl, "chat", refreshToken ?? who.tokens.chat.refreshToken);
    open.push(connected.socket);
    return { ...who, ...connected };
  }

  const toRecipient = (
    recipientAccountId: string,
    body: Buffer = randomBytes(128),
  ): { recipientAccountId: string; clientMessageId: string; body: Buffer } => ({
    recipientAccountId,
    clientMessageId: randomUUID(),
    body,
  });

  it("delivers to somebody online without the body ever being in the database, and tells the sender", async () => {
    const [alice, bob] = [await goOnline(), await goOnline()];
    expect(await bob.socket.event()).to.deep.equal({ queueEmpty: {} });
    expect(await alice.socket.event()).to.deep.equal({ queueEmpty: {} });
    const message = toRecipient(bob.accountId);

    const sending = callOn(alice.socket, sendMessage, message);
    const { message: event } = await bob.socket.event();
    bob.socket.sendFrame({ $case: "ack", value: { messageIds: [event?.["id"] as string] } });
    const answer = await sending;
    const { delivered } = await alice.socket.event();

    expect(answer.state).to.equal(State.DELIVERED);
    expect(event).to.deep.equal({
      id: answer.messageId,
      clientMessageId: message.clientMessageId,
      senderAccountId: alice.accountId,
      sentAt: event?.["sentAt"],
      body: message.body.toString("base64"),
      receipt: answer.receipt,
    });
    expect(new Date(event?.["sentAt"] as string)).to.deep.equal(answer.sentAt);
    expect(delivered).to.deep.include({
      messageId: answer.messageId,
      clientMessageId: message.clientMessageId,
      recipientAccountId: bob.accountId,
    });
    expect(await tracesOf(stack.mongodbUri, message.body)).to.deep.equal([]);
  });

  it("stores for somebody offline so that the body cannot be read, delivers later, and keeps no trace after the acknowledgement", async () => {
    const [alice, bob] = [await goOnline(), await logIn(stack.httpUrl)];
    const message = toRecipient(bob.accountId, Buffer.from(`the quick brown fox ${randomUUID()} jumps over the lazy dog`));

    const answer = await callOn(alice.socket, sendMessage, message);
    const stored = await tracesOf(stack.mongodbUri, message.body);
    const online = await goOnline(bob);
    const { message: event } = await online.socket.event();
    const queueEmpty = await online.socket.event();
    await callOn(online.socket, ackMessages, { messageIds: [answer.messageId] });

    expect(answer.state).to.equal(State.STORED);
    expect(stored.map(({ form }) => form)).to.deep.equal(["caesar"]);
    expect(event).to.deep.include({ id: answer.messageId, receipt: answer.receipt, body: message.body.toString("base64") });
    expect(queueEmpty).to.deep.equal({ queueEmpty: {} });
    expect(await tracesOf(stack.mongodbUri, message.body)).to.deep.equal([]);
  });

  it("sends an unacknowledged message again after a reconnect, to the letter the same", async () => {
    const [alice, bob] = [await goOnline(), await goOnline()];
    await bob.socket.event();
    const answer = await callOn(alice.socket, sendMessage, toRecipient(bob.accountId));
    const first = await bob.socket.event();
    bob.socket.cut();

    const again = await goOnline(bob, bob.refreshToken);
    const second = await again.socket.event();

    expect(answer.state).to.equal(State.STORED);
    expect(second).to.deep.equal(first);
  });

  it("answers a repeat the same for ever: in parallel, in either case of the id, after delivery, after a block", async () => {
    const [alice, bob] = [await goOnline(), await goOnline()];
    await bob.socket.event();
    const message = toRecipient(bob.accountId);
    const upper = { ...message, clientMessageId: message.clientMessageId.toUpperCase(), recipientAccountId: bob.accountId.toUpperCase() };

    const parallel = await Promise.all([message, upper, message, message].map((request) => callOn(alice.socket, sendMessage, request)));
    const { message: event } = await bob.socket.event();
    await callOn(bob.socket, ackMessages, { messageIds: [event?.["id"] as string] });
    const delivered = await callOn(alice.socket, sendMessage, message);
    await callOn(bob.socket, blockAccount, { accountId: alice.accountId });
    const blocked = await callOn(alice.socket, sendMessage, message);

    const facts = [...parallel, delivered, blocked].map(({ messageId, sentAt, receipt }) => ({ messageId, sentAt, receipt }));
    expect(new Set(facts.map((fact) => JSON.stringify(fact))).size).to.equal(1);
    expect([delivered.state, blocked.state]).to.deep.equal([State.DELIVERED, State.DELIVERED]);
    const pending = await callOn(bob.socket, listPending, { pageSize: 0 });
    expect(pending.messages).to.deep.equal([]);
  });

  it("refuses the same id with another body or recipient: 6", async () => {
    const [alice, bob, carol] = [await goOnline(), await logIn(stack.httpUrl), await logIn(stack.httpUrl)];
    const message = toRecipient(bob.accountId);
    await callOn(alice.socket, sendMessage, message);

    const otherBody = await refusalOn(alice.socket, sendMessage, { ...message, body: Buffer.from("other") });
    const otherRecipient = await refusalOn(alice.socket, sendMessage, { ...message, recipientAccountId: carol.accountId });

    expect([otherBody.code, otherRecipient.code]).to.deep.equal([6, 6]);
  });

  it("cannot be asked who blocked whom: unknown and blocked look alike, 5, and use no id up", async () => {
    const [alice, bob] = [await goOnline(), await goOnline()];
    await callOn(bob.socket, blockAccount, { accountId: alice.accountId });
    const message = toRecipient(bob.accountId);

    const blocked = await refusalOn(alice.socket, sendMessage, message);
    const unknown = await refusalOn(alice.socket, sendMessage, toRecipient(randomUUID()));
    await callOn(bob.socket, unblockAccount, { accountId: alice.accountId });
    const after = await callOn(alice.socket, sendMessage, message);

    expect(blocked).to.deep.equal({ ...unknown, callId: blocked.callId });
    expect(blocked.code).to.equal(5);
    expect(after.messageId).to.be.a("string");
  });

  it("lists whom one has blocked, and delivers what was accepted before the block", async () => {
    const [alice, bob] = [await goOnline(), await logIn(stack.httpUrl)];
    const answer = await callOn(alice.socket, sendMessage, toRecipient(bob.accountId));
    const online = await goOnline(bob);

    await callOn(online.socket, blockAccount, { accountId: alice.accountId });
    await callOn(online.socket, blockAccount, { accountId: alice.accountId });
    const { accountIds } = await callOn(online.socket, listBlockedAccounts, {});
    const { message } = await online.socket.event();

    expect(accountIds).to.deep.equal([alice.accountId]);
    expect(message).to.deep.include({ id: answer.messageId });
  });

  it("takes oneself for a recipient", async () => {
    const alice = await goOnline();
    await alice.socket.event();
    const message = toRecipient(alice.accountId);

    const sending = callOn(alice.socket, sendMessage, message);
    const { message: event } = await alice.socket.event();
    alice.socket.sendFrame({ $case: "ack", value: { messageIds: [event?.["id"] as string] } });

    expect((await sending).state).to.equal(State.DELIVERED);
  });

  it("forgets on an acknowledgement only what is in the caller's own inbox", async () => {
    const [alice, bob, eve] = [await goOnline(), await logIn(stack.httpUrl), await goOnline()];
    const message = toRecipient(bob.accountId);
    const { messageId } = await callOn(alice.socket, sendMessage, message);

    eve.socket.sendFrame({ $case: "ack", value: { messageIds: [messageId, "not a uuid", ""] } });
    await callOn(eve.socket, ackMessages, { messageIds: [messageId, messageId, randomUUID()] });
    await callOn(alice.socket, ackMessages, { messageIds: [messageId] });
    const { states } = await callOn(alice.socket, getMessageStates, { clientMessageIds: [message.clientMessageId, randomUUID()] });

    expect(states.map(({ state }) => state)).to.deep.equal([MessageState.PENDING, MessageState.UNKNOWN]);
    expect((await callOn((await goOnline(bob)).socket, listPending, { pageSize: 1 })).messages.map(({ id }) => id)).to.deep.equal([
      messageId,
    ]);
  });

  it("keeps the order of one sender, 600 messages on one socket, window by window", async () => {
    const [alice, bob] = [await goOnline(), await logIn(stack.httpUrl)];
    const messages = Array.from({ length: 600 }, (_, index) => toRecipient(bob.accountId, Buffer.from(String(index))));
    for (let from = 0; from < messages.length; from += 60) {
      await Promise.all(messages.slice(from, from + 60).map((message) => callOn(alice.socket, sendMessage, message)));
    }

    const online = await goOnline(bob);
    const bodies: number[] = [];
    const unacknowledged: string[] = [];
    while (bodies.length < 600) {
      const { message } = await online.socket.event();
      bodies.push(Number(Buffer.from(message?.["body"] as string, "base64").toString()));
      unacknowledged.push(message?.["id"] as string);
      if (unacknowledged.length === 256 || bodies.length === 600) {
        online.socket.sendFrame({ $case: "ack", value: { messageIds: unacknowledged.splice(0) } });
      }
    }

    expect(bodies).to.deep.equal(messages.map((_, index) => index));
    expect(await online.socket.event()).to.deep.equal({ queueEmpty: {} });
  });

  it("hands the events to the newest socket, tells the older one, and still serves its calls", async () => {
    const [alice, bob] = [await goOnline(), await goOnline()];
    await bob.socket.event();
    const { messageId } = await callOn(alice.socket, sendMessage, toRecipient(bob.accountId));
    await bob.socket.event();

    const newer = await goOnline(bob, bob.refreshToken);
    const displaced = await bob.socket.event();
    const { message } = await newer.socket.event();
    await callOn(bob.socket, ackMessages, { messageIds: [messageId] });

    expect(displaced).to.deep.equal({ displaced: {} });
    expect(message).to.deep.include({ id: messageId });
    expect((await callOn(newer.socket, listPending, { pageSize: 0 })).messages).to.deep.equal([]);
    expect((await bob.socket.closed()).code).to.equal(4409);
  });

  it("names the field of a broken rule: 3", async () => {
    const alice = await goOnline();
    const good = toRecipient(alice.accountId);

    const cases = [
      { ...good, body: Buffer.alloc(0) },
      { ...good, body: Buffer.alloc(65_537) },
      { ...good, clientMessageId: "x" },
      { ...good, recipientAccountId: "" },
    ];
    const refusals = await Promise.all(cases.map((request) => refusalOn(alice.socket, sendMessage, request)));

    expect(refusals.map(({ code }) => code)).to.deep.equal([3, 3, 3, 3]);
    expect(refusals.map(({ message }) => message.split(":")[0])).to.deep.equal(["body", "body", "clientMessageId", "recipientAccountId"]);
    expect((await refusalOn(alice.socket, listPending, { pageSize: 257 })).code).to.equal(3);
    expect((await refusalOn(alice.socket, getMessageStates, { clientMessageIds: [] })).code).to.equal(3);
  });

  it("files a report with good receipts, once, and none with a forged, foreign or altered one", async () => {
    const [alice, bob, eve] = [await goOnline(), await goOnline(), await goOnline()];
    const body = Buffer.from(`an insult ${randomUUID()}`);
    const { receipt } = await callOn(alice.socket, sendMessage, toRecipient(bob.accountId, body));
    const report = (accessToken: Buffer, messages: { receipt: string; body: string }[]): ReturnType<typeof call> =>
      call(stack.httpUrl, "sallyport.chat.v1.ChatService/ReportMessages", { reason: "insult", messages }, accessToken);
    const evidence = { receipt, body: body.toString("base64") };
    const [header, , signature] = receipt.split(".");
    const claims = Buffer.from(JSON.stringify({ sub: eve.accountId })).toString("base64url");

    const accepted = await report(bob.accessToken, [evidence]);
    const repeated = await report(bob.accessToken, [evidence]);
    const refused = [
      await report(eve.accessToken, [evidence]),
      await report(bob.accessToken, [evidence, { ...evidence, body: Buffer.from("other").toString("base64") }]),
      await report(bob.accessToken, [{ ...evidence, receipt: `${header}.${claims}.${signature}` }]),
      await report(bob.accessToken, [{ ...evidence, receipt: "garbage" }]),
    ];

    expect(accepted.status).to.equal(200);
    expect(repeated.body).to.deep.equal(accepted.body);
    expect(refused.map(({ status, body: answer }) => [status, answer["code"]])).to.deep.equal(Array(4).fill([400, "invalid_argument"]));
    expect(JSON.stringify(refused[1]?.body)).to.contain("messages[1]");
  });

  it("signs a receipt with exactly the claims of the contract", async () => {
    const [alice, bob] = [await goOnline(), await logIn(stack.httpUrl)];
    const body = randomBytes(100);

    const { receipt, messageId, sentAt } = await callOn(alice.socket, sendMessage, toRecipient(bob.accountId, body));
    const [header, claims] = receipt
      .split(".")
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>);

    expect(header).to.have.all.keys("alg", "typ", "kid").and.include({ alg: "HS256", typ: "receipt+jwt" });
    expect(claims).to.deep.equal({
      iss: "sallyport",
      iat: Math.floor((sentAt?.getTime() ?? 0) / 1000),
      jti: messageId,
      sub: alice.accountId,
      aud: bob.accountId,
      dig: createHash("sha256").update(body).digest("base64url"),
    });
  });
});
