import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { call, confirm, connect, connectAndConfirm, exchange, logIn } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Stack, sharedStack } from "../support/stack.ts";

const GET_ACCOUNT = "sallyport.account.v1.AccountService/GetAccount";

describe("the token exchange", () => {
  let stack: Stack;

  before(async () => {
    stack = await sharedStack();
  });

  it("answers 1024 bytes with 1024 and 32, for each service in the URL's order, also when all tokens are sent at once", async () => {
    const { tokens } = await logIn(stack.httpUrl);
    await using socket = await RawSocket.open(stack.httpUrl, "/connect/chat,account");

    socket.send(tokens.chat.refreshToken);
    socket.send(tokens.account.refreshToken);
    const frames = [await socket.binary(), await socket.binary(), await socket.binary(), await socket.binary()];

    expect(frames.map(({ length }) => length)).to.deep.equal([1024, 32, 1024, 32]);
    expect((await call(stack.httpUrl, GET_ACCOUNT, {}, frames[3])).status).to.equal(200);
    expect((await call(stack.httpUrl, GET_ACCOUNT, {}, frames[1])).status).to.equal(403);
  });

  it("sends nothing before the token is accepted, and closes with 4401 when it is not", async () => {
    const { tokens } = await logIn(stack.httpUrl);
    const forged = Buffer.from(tokens.chat.refreshToken);
    forged[500] = (forged[500] ?? 0) ^ 1;

    for (const token of [
      forged,
      randomBytes(1024),
      Buffer.alloc(1024),
      tokens.chat.refreshToken.subarray(1),
      Buffer.alloc(0),
      Buffer.from([0]),
      tokens.account.refreshToken,
    ]) {
      await using socket = await RawSocket.open(stack.httpUrl, "/connect/chat");
      socket.send(token);
      expect(await socket.next()).to.deep.include({ closed: 4401 });
    }
  });

  it("repeats the same successor, with a fresh access token, until it is confirmed", async () => {
    const { tokens } = await logIn(stack.httpUrl);

    const first = await connect(stack.httpUrl, "account", tokens.account.refreshToken);
    const second = await connect(stack.httpUrl, "account", tokens.account.refreshToken);

    expect(second.refreshToken.equals(first.refreshToken)).to.equal(true);
    expect(second.accessToken.equals(first.accessToken)).to.equal(false);
    first.socket.cut();
    second.socket.cut();
  });

  it("lets one successor out of a hundred parallel presentations, while a confirmation races them", async () => {
    const { tokens } = await logIn(stack.httpUrl);
    const leader = await connect(stack.httpUrl, "chat", tokens.chat.refreshToken);

    const sockets = await Promise.all(Array.from({ length: 100 }, () => RawSocket.open(stack.httpUrl, "/connect/chat")));
    for (const [index, socket] of sockets.entries()) {
      socket.send(tokens.chat.refreshToken);
      if (index === 50) {
        leader.socket.sendFrame({ $case: "keepAlive", value: {} });
      }
    }
    const firsts = await Promise.all(sockets.map((socket) => socket.next()));

    const successors = firsts.flatMap((first) => ("binary" in first ? [first.binary.toString("hex")] : []));
    const closes = firsts.flatMap((first) => ("closed" in first ? [first.closed] : []));
    expect(new Set([...successors, leader.refreshToken.toString("hex")]).size).to.equal(1);
    expect(closes.every((code) => code === 4503)).to.equal(true);
    expect(successors.length + closes.length).to.equal(100);
    const again = await connectAndConfirm(stack.httpUrl, "chat", leader.refreshToken);
    for (const socket of [...sockets, leader.socket, again.socket]) {
      socket.cut();
    }
  });

  it("refuses a token within the grace of its retirement with 4503, and leaves the session alone", async () => {
    const { tokens } = await logIn(stack.httpUrl);
    const owner = await connectAndConfirm(stack.httpUrl, "account", tokens.account.refreshToken);

    await using late = await RawSocket.open(stack.httpUrl, "/connect/account");
    late.send(tokens.account.refreshToken);

    expect(await late.next()).to.deep.include({ closed: 4503 });
    expect((await call(stack.httpUrl, GET_ACCOUNT, {}, owner.accessToken)).status).to.equal(200);
    owner.socket.cut();
  });

  it("confirms by a call over HTTP with the new access token", async () => {
    const { tokens } = await logIn(stack.httpUrl);
    const owner = await connect(stack.httpUrl, "account", tokens.account.refreshToken);

    const { status } = await call(stack.httpUrl, GET_ACCOUNT, {}, owner.accessToken);
    await using late = await RawSocket.open(stack.httpUrl, "/connect/account");
    late.send(tokens.account.refreshToken);

    expect(status).to.equal(200);
    expect(await late.next()).to.deep.include({ closed: 4503 });
    owner.socket.cut();
  });

  it("confirms by presenting the new refresh token", async () => {
    const { tokens } = await logIn(stack.httpUrl);
    const first = await connect(stack.httpUrl, "chat", tokens.chat.refreshToken);
    const second = await connect(stack.httpUrl, "chat", first.refreshToken);

    await using late = await RawSocket.open(stack.httpUrl, "/connect/chat");
    late.send(tokens.chat.refreshToken);

    expect(await late.next()).to.deep.include({ closed: 4503 });
    first.socket.cut();
    second.socket.cut();
  });

  it("judges a waiting socket's token when it arrives, not when the socket opened", async () => {
    const { tokens } = await logIn(stack.httpUrl);
    await using waiting = await RawSocket.open(stack.httpUrl, "/connect/chat");
    const other = await connectAndConfirm(stack.httpUrl, "chat", tokens.chat.refreshToken);

    waiting.send(tokens.chat.refreshToken);

    expect(await waiting.next()).to.deep.include({ closed: 4503 });
    other.socket.cut();
  });

  it("takes a malformed frame for what it is, and confirms nothing by it", async () => {
    const { tokens } = await logIn(stack.httpUrl);
    const first = await connect(stack.httpUrl, "chat", tokens.chat.refreshToken);

    first.socket.send(Buffer.from([0xff, 0xff, 0xff]));
    const close = await first.socket.closed();
    const again = await connect(stack.httpUrl, "chat", tokens.chat.refreshToken);

    expect(close.code).to.equal(4400);
    expect(again.refreshToken.equals(first.refreshToken)).to.equal(true);
    again.socket.cut();
  });

  it("confirms by a frame of an unknown kind, and by an empty one", async () => {
    for (const frame of [Buffer.from([0x7a, 0x00]), Buffer.alloc(0)]) {
      const { tokens } = await logIn(stack.httpUrl);
      const first = await connect(stack.httpUrl, "chat", tokens.chat.refreshToken);

      first.socket.send(frame);
      await confirm(first.socket);
      await using late = await RawSocket.open(stack.httpUrl, "/connect/chat");
      late.send(tokens.chat.refreshToken);

      expect(await late.next()).to.deep.include({ closed: 4503 });
      first.socket.cut();
    }
  });

  it("closes with 4400 on Text and on data beyond the tokens, with 1009 on a frame over 1024 bytes", async () => {
    const { tokens } = await logIn(stack.httpUrl);
    const cases: [(Buffer | string)[], number[]][] = [
      [["hello"], [4400]],
      [[tokens.chat.refreshToken, Buffer.from([1])], [4400]],
      [[Buffer.alloc(1025)], [1009, 1006]],
      [[Buffer.alloc(200_000)], [1009, 1006]],
    ];

    for (const [frames, codes] of cases) {
      await using socket = await RawSocket.open(stack.httpUrl, "/connect/chat");
      for (const frame of frames) {
        socket.send(frame);
      }
      expect(codes).to.include((await socket.closed()).code);
    }
    const after = await connect(stack.httpUrl, "chat", tokens.chat.refreshToken);
    after.socket.cut();
  });

  it("refuses services that are unknown, empty or repeated with 404, and foreign origins with 403", async () => {
    const upgrade = (path: string, headers: Record<string, string> = {}): Promise<string> =>
      RawSocket.open(stack.httpUrl, path, { headers }).then(
        (socket) => {
          socket.cut();
          return "open";
        },
        (error: Error) => /\d{3}/.exec(error.message)?.[0] ?? error.message,
      );

    for (const path of [
      "/connect",
      "/connect/",
      "/connect/mail",
      "/connect/chat,chat",
      "/connect/chat,",
      "/connect/,chat",
      "/connect/Chat",
      "/connect/chat/account",
    ]) {
      expect(await upgrade(path), path).to.equal("404");
    }
    expect(await upgrade("/connect/chat", { origin: "https://elsewhere.example" })).to.equal("403");
    expect(await upgrade("/connect/chat", { origin: stack.httpUrl })).to.equal("open");
  });

  it("makes both exchanges of one socket one after the other", async () => {
    const { tokens } = await logIn(stack.httpUrl);
    await using socket = await RawSocket.open(stack.httpUrl, "/connect/account,chat");

    const account = await exchange(socket, tokens.account.refreshToken);
    const chat = await exchange(socket, tokens.chat.refreshToken);
    await confirm(socket);

    expect([account.refreshToken.length, account.accessToken.length, chat.refreshToken.length, chat.accessToken.length]).to.deep.equal([
      1024, 32, 1024, 32,
    ]);
  });
});

describe("reuse detection", () => {
  let stack: Stack;

  before(async () => {
    stack = await sharedStack({ ACCOUNT_REUSE_GRACE_MS: "0" });
  });

  it("takes a retired token after the grace for theft: the whole session ends, on every socket and for every token of it", async () => {
    const owner = await logIn(stack.httpUrl);
    const account = await connectAndConfirm(stack.httpUrl, "account", owner.tokens.account.refreshToken);
    const chat = await connectAndConfirm(stack.httpUrl, "chat", owner.tokens.chat.refreshToken);
    await using thief = await RawSocket.open(stack.httpUrl, "/connect/account");

    thief.send(owner.tokens.account.refreshToken);

    expect(await thief.next()).to.deep.include({ closed: 4401 });
    expect((await account.socket.closed()).code).to.equal(4401);
    expect((await chat.socket.closed()).code).to.equal(4401);
    expect((await call(stack.httpUrl, GET_ACCOUNT, {}, account.accessToken)).status).to.equal(401);
    for (const [service, token] of [
      ["account", account.refreshToken],
      ["chat", chat.refreshToken],
    ] as const) {
      await using socket = await RawSocket.open(stack.httpUrl, `/connect/${service}`);
      socket.send(token);
      expect(await socket.next()).to.deep.include({ closed: 4401 });
    }
  });

  it("leaves the account's other sessions alone", async () => {
    const owner = await logIn(stack.httpUrl);
    const elsewhere = await logIn(stack.httpUrl, owner.name);
    const other = await connectAndConfirm(stack.httpUrl, "account", elsewhere.tokens.account.refreshToken);
    const robbed = await connectAndConfirm(stack.httpUrl, "account", owner.tokens.account.refreshToken);
    await using thief = await RawSocket.open(stack.httpUrl, "/connect/account");

    thief.send(owner.tokens.account.refreshToken);
    await robbed.socket.closed();
    const { status, body } = await call(stack.httpUrl, "sallyport.account.v1.AccountService/ListSessions", {}, other.accessToken);

    expect(status).to.equal(200);
    expect(body["sessions"]).to.have.length(1);
    other.socket.cut();
  });

  it("does not take an unconfirmed token's repetition for theft", async () => {
    const owner = await logIn(stack.httpUrl);
    const first = await connect(stack.httpUrl, "account", owner.tokens.account.refreshToken);
    first.socket.cut();

    const second = await connectAndConfirm(stack.httpUrl, "account", owner.tokens.account.refreshToken);

    expect((await call(stack.httpUrl, GET_ACCOUNT, {}, second.accessToken)).status).to.equal(200);
    second.socket.cut();
  });
});
