import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { Channel } from "../../platform/rpc/channel.ts";
import { type CallOptions, type Client, createClient } from "../../platform/rpc/client.ts";
import { type AdminServiceRpcs, adminService, chatService } from "../../proto/gen/policy/services.ts";
import { call, callOn, connectAndConfirm, exchange, logIn, type Person, refusalOn } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Stack, sharedStack, startStack } from "../support/stack.ts";
import { tracesOf } from "../support/traces.ts";

const service = (method: string): string => `sallyport.account.v1.AccountService/${method}`;

interface Online {
  readonly socket: RawSocket;
  readonly accessToken: Buffer;
  readonly refreshToken: Buffer;
}

function goOnline({ httpUrl }: Stack, person: Person, to: "account" | "chat" = "account"): Promise<Online> {
  return connectAndConfirm(httpUrl, to, person.tokens[to].refreshToken);
}

/** Calls as the gateway makes them for an operator whose token it has checked. */
async function asOperator<T>(
  { accountTarget }: Stack,
  act: (admin: Client<AdminServiceRpcs>, options: CallOptions) => Promise<T>,
): Promise<T> {
  using channel = new Channel(accountTarget);
  return await act(createClient(adminService, channel), { deadline: Date.now() + 5_000, isOperator: true });
}

function setLocked(stack: Stack, accountId: string, locked: boolean): Promise<unknown> {
  return asOperator(stack, (admin, options) => admin.setAccountLocked({ accountId, locked }, options));
}

/** How a socket of its own ends that presents a refresh token. */
async function closeCodeOf({ httpUrl }: Stack, refreshToken: Buffer): Promise<unknown> {
  await using socket = await RawSocket.open(httpUrl, "/connect/account");
  socket.send(refreshToken);
  return await socket.next();
}

async function eventTypes({ httpUrl }: Stack, accessToken: Buffer): Promise<unknown[]> {
  const { body } = await call(httpUrl, service("ListSecurityEvents"), {}, accessToken);
  return (body["events"] as { type: string }[]).map(({ type }) => type.replace("SECURITY_EVENT_TYPE_", ""));
}

async function leaveMessage(stack: Stack, recipientAccountId: string, body: Buffer): Promise<Online> {
  const sender = await goOnline(stack, await logIn(stack.httpUrl), "chat");
  const request = { recipientAccountId, clientMessageId: randomUUID(), body };
  await callOn(sender.socket, chatService.methods.sendMessage, request);
  return sender;
}

async function untilErased({ mongodbUri }: Stack, body: Buffer): Promise<void> {
  while ((await tracesOf(mongodbUri, body)).length > 0) {
    // Until nothing of it is left.
  }
}

describe("an account that an operator locks", () => {
  it("loses its sockets (4401) and its tokens, cannot log in, and comes back with none of them when it is unlocked", async () => {
    const stack = await sharedStack();
    const [phone, bob] = [await logIn(stack.httpUrl), await logIn(stack.httpUrl)];
    const laptop = await logIn(stack.httpUrl, phone.name);
    const [onPhone, onLaptop, onBob] = [await goOnline(stack, phone), await goOnline(stack, laptop, "chat"), await goOnline(stack, bob)];

    await setLocked(stack, phone.accountId, true);
    const closes = [await onPhone.socket.closed(), await onLaptop.socket.closed()];
    const locked = await call(stack.httpUrl, service("Login"), { dev: { name: phone.name } });
    const used = await call(stack.httpUrl, service("GetAccount"), {}, onPhone.accessToken);
    const presented = await closeCodeOf(stack, onPhone.refreshToken);
    await setLocked(stack, phone.accountId, false);

    expect(closes.map(({ code }) => code)).to.deep.equal([4401, 4401]);
    expect([locked.status, locked.body["code"]]).to.deep.equal([403, "permission_denied"]);
    expect(JSON.stringify(locked.body)).to.include("ACCOUNT_LOCKED");
    expect(used.status).to.equal(401);
    expect(presented).to.deep.include({ closed: 4401 });
    expect(await closeCodeOf(stack, onPhone.refreshToken)).to.deep.include({ closed: 4401 });
    const again = await goOnline(stack, await logIn(stack.httpUrl, phone.name));
    expect(await eventTypes(stack, again.accessToken)).to.include.members(["LOCK", "LOGIN", "ROTATION"]);
    expect((await call(stack.httpUrl, service("GetAccount"), {}, onBob.accessToken)).status).to.equal(200);
    again.socket.cut();
    onBob.socket.cut();
  });

  it("is found by its name, with its lock and its live sessions, whose end an operator can ask for", async () => {
    const stack = await sharedStack();
    const person = await logIn(stack.httpUrl);
    const online = await goOnline(stack, person);
    const find = (): Promise<{ accountId: string; locked: boolean; sessionCount: number }> =>
      asOperator(stack, (admin, options) => admin.findAccount({ key: { $case: "devName", value: person.name } }, options));

    const before = await find();
    await asOperator(stack, (admin, options) => admin.endSessions({ accountId: person.accountId }, options));
    const { code } = await online.socket.closed();

    expect(before).to.include({ accountId: person.accountId, locked: false, sessionCount: 1 });
    expect(code).to.equal(4401);
    expect(await find()).to.include({ accountId: person.accountId, locked: false, sessionCount: 0 });
  });
});

describe("an account that its owner deletes", () => {
  it("loses its sockets, its tokens and its waiting messages, and the name makes a new account", async () => {
    const stack = await sharedStack();
    const body = Buffer.from(`waiting ${randomUUID()}`);
    const person = await logIn(stack.httpUrl);
    const online = await goOnline(stack, person);
    const sender = await leaveMessage(stack, person.accountId, body);
    const waiting = await tracesOf(stack.mongodbUri, body);

    const answer = await call(stack.httpUrl, service("DeleteAccount"), {}, online.accessToken);
    const { code } = await online.socket.closed();
    await untilErased(stack, body);
    const again = await logIn(stack.httpUrl, person.name);

    expect(waiting).to.not.deep.equal([]);
    expect([answer.status, code]).to.deep.equal([200, 4401]);
    expect((await call(stack.httpUrl, service("GetAccount"), {}, online.accessToken)).status).to.equal(401);
    expect(await closeCodeOf(stack, online.refreshToken)).to.deep.include({ closed: 4401 });
    expect(again.accountId).to.not.equal(person.accountId);
    sender.socket.cut();
  });

  it("is nobody to write to, once it is no longer believed to exist", async () => {
    const stack = await sharedStack();
    const person = await logIn(stack.httpUrl);
    const online = await goOnline(stack, person);
    const sender = await leaveMessage(stack, person.accountId, Buffer.from("before"));
    const request = { recipientAccountId: person.accountId, clientMessageId: "", body: Buffer.from("after") };
    const send = (): Promise<unknown> =>
      refusalOn(sender.socket, chatService.methods.sendMessage, { ...request, clientMessageId: randomUUID() }).catch(() => undefined);

    await call(stack.httpUrl, service("DeleteAccount"), {}, online.accessToken);
    let refusal = await send();
    while (refusal === undefined) {
      refusal = await send();
    }

    expect(refusal).to.include({ code: 5 });
    sender.socket.cut();
  });

  it("is erased although the account service is killed right after it answered", async () => {
    await using stack = await startStack({ supervise: true });
    const body = Buffer.from(`waiting ${randomUUID()}`);
    const person = await logIn(stack.httpUrl);
    const online = await goOnline(stack, person);
    const sender = await leaveMessage(stack, person.accountId, body);
    const pid = await stack.pidOf("account");

    const { status } = await call(stack.httpUrl, service("DeleteAccount"), {}, online.accessToken);
    process.kill(pid, "SIGKILL");
    await untilErased(stack, body);
    await stack.ready();
    const again = await logIn(stack.httpUrl, person.name);

    expect(status).to.equal(200);
    expect(again.accountId).to.not.equal(person.accountId);
    expect(await closeCodeOf(stack, online.refreshToken)).to.deep.include({ closed: 4401 });
    sender.socket.cut();
  });
});

describe("the security events of an account", () => {
  it("are shown to its owner, newest first, with the sessions and the addresses that they are about", async () => {
    const stack = await sharedStack();
    const person = await logIn(stack.httpUrl);
    const online = await goOnline(stack, person);
    await using second = await RawSocket.open(stack.httpUrl, "/connect/account");
    await exchange(second, online.refreshToken);

    const { status, body } = await call(stack.httpUrl, service("ListSecurityEvents"), {}, online.accessToken);

    const events = body["events"] as { type: string; occurredAt: string; sessionId: string; address: string }[];
    const { body: sessions } = await call(stack.httpUrl, service("ListSessions"), {}, online.accessToken);
    const [session] = sessions["sessions"] as { sessionId: string }[];
    expect(status).to.equal(200);
    expect(events.map(({ type }) => type)).to.deep.equal(["ROTATION", "ROTATION", "LOGIN"].map((type) => `SECURITY_EVENT_TYPE_${type}`));
    expect(new Set(events.map(({ sessionId }) => sessionId))).to.deep.equal(new Set([session?.sessionId]));
    expect(new Set(events.map(({ address }) => address))).to.deep.equal(new Set(["127.0.0.1"]));
    expect(events.map(({ occurredAt }) => Date.parse(occurredAt))).to.satisfy((times: number[]) =>
      times.every((time, index) => time <= (times[index - 1] ?? time)),
    );
    online.socket.cut();
  });
});
