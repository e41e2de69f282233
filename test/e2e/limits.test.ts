import { randomBytes, randomUUID } from "node:crypto";
import { expect } from "chai";
import { chatService } from "../../proto/gen/policy/services.ts";
import { callFrom, type HttpAnswer, readRefusal, refusalOf, refusedUpgradeFrom } from "../support/limited.ts";
import { callOn, confirm, type Exchanged, exchange, refusalOn } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Stack, sharedStack } from "../support/stack.ts";

const LOGIN = "/sallyport.account.v1.AccountService/Login";
const GET_ACCOUNT = "/sallyport.account.v1.AccountService/GetAccount";
const SEND = "/sallyport.chat.v1.ChatService/SendMessage";
const { sendMessage } = chatService.methods;

/** Somebody who has logged in from an address. */
interface Visitor {
  readonly accountId: string;
  readonly accountToken: Buffer;
  readonly chatToken: Buffer;
}

describe("the rate limits", () => {
  let stack: Stack;
  const open: RawSocket[] = [];

  before(async () => {
    stack = await sharedStack({ SALLYPORT_LIMITS: "on", GATEWAY_LIMIT_MESSAGES: "1/hour burst 6", ACCOUNT_REUSE_GRACE_MS: "0" });
  });

  afterEach(() => {
    for (const socket of open.splice(0)) {
      socket.cut();
    }
  });

  function login(from: string): Promise<HttpAnswer> {
    return callFrom(from, stack.httpUrl, LOGIN, JSON.stringify({ dev: { name: `p-${randomUUID()}` } }));
  }

  async function visit(from: string): Promise<Visitor> {
    const { json } = await login(from);
    const tokens = json["tokens"] as Record<"account" | "chat", { refreshToken: string }>;
    const bytes = (service: "account" | "chat"): Buffer => Buffer.from(tokens[service].refreshToken, "base64");
    return { accountId: json["accountId"] as string, accountToken: bytes("account"), chatToken: bytes("chat") };
  }

  async function socketFrom(localAddress: string, service: "account" | "chat"): Promise<RawSocket> {
    const socket = await RawSocket.open(stack.httpUrl, `/connect/${service}`, { localAddress });
    open.push(socket);
    return socket;
  }

  async function connectFrom(from: string, service: "account" | "chat", token: Buffer): Promise<Exchanged & { socket: RawSocket }> {
    const socket = await socketFrom(from, service);
    return { socket, ...(await exchange(socket, token)) };
  }

  /** How a socket ends that presents a token which is not accepted. */
  async function refusalFrom(from: string, token: Buffer = randomBytes(1024)): Promise<{ code: number; reason: string }> {
    const socket = await socketFrom(from, "account");
    socket.send(token);
    return await socket.closed();
  }

  async function flood(from: string, times: number): Promise<{ code: number; reason: string }[]> {
    return await Promise.all(Array.from({ length: times }, () => refusalFrom(from)));
  }

  it("answer garbage with 4401 twenty times, then with 4429 and the milliseconds to wait", async () => {
    const ends = await flood("127.0.1.1", 40);

    const refused = ends.filter(({ code }) => code === 4401);
    const limited = ends.filter(({ code }) => code === 4429);
    expect(refused.length).to.be.within(20, 22);
    expect(refused.length + limited.length).to.equal(40);
    for (const { reason } of limited) {
      expect(reason).to.match(/^\d+$/);
      expect(Number(reason)).to.be.within(1, 6_000);
    }
  });

  it("let accepted tokens pass, from an address that floods too", async () => {
    const owner = await visit("127.0.1.2");
    await flood("127.0.1.2", 30);

    const { socket, accessToken } = await connectFrom("127.0.1.2", "account", owner.accountToken);
    const authorization = `Bearer ${accessToken.toString("base64")}`;

    expect(socket.socket.readyState).to.equal(1);
    expect((await callFrom("127.0.1.2", stack.httpUrl, GET_ACCOUNT, "{}", { authorization })).status).to.equal(200);
  });

  it("keep a flood of garbage from one address out of the exchanges of others", async () => {
    const people = await Promise.all(Array.from({ length: 12 }, () => visit("127.0.1.3")));

    const flooding = flood("127.0.1.4", 110);
    const exchanged = await Promise.all(people.map(({ chatToken }) => connectFrom("127.0.1.3", "chat", chatToken)));
    const ends = await flooding;

    expect(exchanged.map(({ socket }) => socket.socket.readyState)).to.deep.equal(people.map(() => 1));
    expect(new Set(ends.map(({ code }) => code))).to.deep.equal(new Set([4401, 4429]));
  });

  it("find a stolen token out, from an address that floods too", async () => {
    const owner = await visit("127.0.1.5");
    const first = await connectFrom("127.0.1.5", "account", owner.accountToken);
    await confirm(first.socket);
    await flood("127.0.1.6", 30);

    const thief = await refusalFrom("127.0.1.6", owner.accountToken);
    const end = await first.socket.closed();

    expect(thief.code).to.equal(4429);
    expect(end.code).to.equal(4401);
  });

  it("refuse an address that logs in too often, and no other", async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => login("127.0.1.7")));

    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.length - refused.length).to.be.within(20, 22);
    for (const answer of refused) {
      const { reason, retryAfterMs } = refusalOf(answer);
      expect(answer.json["code"]).to.equal("resource_exhausted");
      expect(reason).to.equal("RATE_LIMITED");
      expect(retryAfterMs).to.be.within(1, 6_000);
    }
    expect((await login("127.0.1.8")).status).to.equal(200);
  });

  it("refuse an address that opens too many sockets, and no other", async () => {
    const opening = await Promise.allSettled(Array.from({ length: 150 }, () => socketFrom("127.0.1.9", "chat")));

    const refused = await refusedUpgradeFrom("127.0.1.9", stack.httpUrl, "/connect/chat");
    const elsewhere = await socketFrom("127.0.1.10", "chat");

    expect(opening.filter(({ status }) => status === "fulfilled").length).to.be.within(120, 140);
    expect(refused.status).to.equal(429);
    expect(refusalOf(refused).reason).to.equal("RATE_LIMITED");
    expect(refusalOf(refused).retryAfterMs).to.be.within(1, 1_000);
    expect(elsewhere.socket.readyState).to.equal(1);
  });

  it("count the messages of an account on sockets and over HTTP together, repeats and broken ones among them", async () => {
    const alice = await visit("127.0.1.11");
    const bob = await visit("127.0.1.11");
    const { socket, accessToken } = await connectFrom("127.0.1.11", "chat", alice.chatToken);
    const message = { recipientAccountId: bob.accountId, clientMessageId: randomUUID(), body: Buffer.from("body") };
    const post = (clientMessageId: string): Promise<HttpAnswer> => {
      const body = JSON.stringify({ ...message, clientMessageId, body: message.body.toString("base64") });
      return callFrom("127.0.1.11", stack.httpUrl, SEND, body, { authorization: `Bearer ${accessToken.toString("base64")}` });
    };

    await callOn(socket, sendMessage, message);
    await callOn(socket, sendMessage, message);
    const broken = await refusalOn(socket, sendMessage, { ...message, body: Buffer.alloc(0) });
    const overHttp = [await post(message.clientMessageId), await post(randomUUID()), await post("no uuid"), await post(randomUUID())];
    const refused = await refusalOn(socket, sendMessage, message);

    expect(broken.code).to.equal(3);
    expect(overHttp.map(({ status }) => status)).to.deep.equal([200, 200, 400, 429]);
    expect(refused.code).to.equal(8);
    expect(readRefusal(refused.details).reason).to.equal("RATE_LIMITED");
    expect(readRefusal(refused.details).retryAfterMs).to.be.within(1, 3_600_000);
  });

  it("are lifted by SALLYPORT_LIMITS=off", async () => {
    const lifted = await sharedStack();
    const logins = await Promise.all(
      Array.from({ length: 30 }, () => callFrom("127.0.1.12", lifted.httpUrl, LOGIN, JSON.stringify({ dev: { name: randomUUID() } }))),
    );
    const ends = await Promise.all(
      Array.from({ length: 130 }, async () => {
        const socket = await RawSocket.open(lifted.httpUrl, "/connect/chat", { localAddress: "127.0.1.12" });
        socket.send(randomBytes(1024));
        return (await socket.closed()).code;
      }),
    );

    expect(new Set(logins.map(({ status }) => status))).to.deep.equal(new Set([200]));
    expect(new Set(ends)).to.deep.equal(new Set([4401]));
  });
});
