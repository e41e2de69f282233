import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { expect } from "chai";
import { SallyportError } from "../../../platform/errors.ts";
import { ACCOUNT, GOOD_TOKEN, GRANT_ID, NEXT_TOKEN, SESSION } from "./fake-services.ts";
import { startStack, TestSocket } from "./harness.ts";

const LIST = "/sallyport.chat.v1.ChatService/ListBlockedAccounts";

describe("the token exchange of a socket", () => {
  it("sends the new refresh token, then the access token, then serves calls and events", async () => {
    await using stack = await startStack();
    using socket = await new TestSocket(stack.gateway.address).opened();
    const attached = once(stack.chat.asked, "activate");

    socket.ws.send(GOOD_TOKEN);
    const refresh = await socket.nextBytes();
    const access = await socket.nextBytes();
    socket.call(5, LIST);
    const reply = await socket.nextReply();

    expect(refresh.equals(NEXT_TOKEN)).to.equal(true);
    expect(access).to.have.length(32);
    expect(reply).to.include({ callId: 5, code: 0 });
    const [activation] = await attached;
    for (const gateway of stack.chat.gateways) {
      gateway.push(activation.connection, activation.epoch, { kind: { $case: "queueEmpty", value: {} } });
    }
    expect(await socket.nextEvent()).to.deep.equal({ queueEmpty: {} });
  });

  it("tells the account service the address, the incarnation and the connection", async () => {
    await using stack = await startStack();
    const presented = once(stack.account.asked, "presentRefreshToken");
    using socket = await new TestSocket(stack.gateway.address).exchange();

    const [request] = await presented;

    expect(socket.ws.readyState).to.equal(1);
    expect(request).to.include({ service: "chat", address: "127.0.0.1", connection: 1 });
    expect(request.incarnation).to.match(/^[0-9a-f-]{36}$/);
  });

  it("takes all tokens at once and answers them in the order of the URL", async () => {
    const services: string[] = [];
    await using stack = await startStack({
      token: {
        presentRefreshToken: ({ service }) => {
          services.push(service);
          const accessToken = Buffer.alloc(32, service);
          return { accountId: ACCOUNT, sessionId: SESSION, generation: 2, nextRefreshToken: NEXT_TOKEN, accessToken, grantId: GRANT_ID };
        },
      },
    });
    using socket = await new TestSocket(stack.gateway.address, "/connect/chat,account").opened();

    socket.ws.send(GOOD_TOKEN);
    socket.ws.send(GOOD_TOKEN);
    const frames = [await socket.nextBytes(), await socket.nextBytes(), await socket.nextBytes(), await socket.nextBytes()];

    expect(services).to.deep.equal(["chat", "account"]);
    expect(frames.map(({ length }) => length)).to.deep.equal([1024, 32, 1024, 32]);
    expect(frames[1]?.toString().startsWith("chat")).to.equal(true);
    expect(frames[3]?.toString().startsWith("account")).to.equal(true);
  });

  for (const [title, token] of [
    ["a wrong token", Buffer.alloc(1024, 1)],
    ["a token of another length", Buffer.alloc(10, 7)],
    ["an empty first frame", Buffer.alloc(0)],
  ] as const) {
    it(`closes with 4401 after ${title}, and sends nothing`, async () => {
      await using stack = await startStack();
      using socket = await new TestSocket(stack.gateway.address).opened();

      socket.ws.send(token);

      expect(await socket.closed).to.equal(4401);
      expect(await socket.next().catch((error: Error) => error.message)).to.equal("closed with 4401");
    });
  }

  for (const [title, frames, code] of [
    ["a text frame", ["null"], 4400],
    ["an empty text frame", [""], 4400],
    ["a frame over 1024 bytes", [Buffer.alloc(1025)], 1009],
    ["a data frame beyond the token that is due", [GOOD_TOKEN, Buffer.alloc(2)], 4400],
  ] as const) {
    it(`closes with ${code} after ${title}`, async () => {
      await using stack = await startStack({ token: { presentRefreshToken: () => new Promise(() => undefined) } });
      using socket = await new TestSocket(stack.gateway.address).opened();

      for (const frame of frames) {
        socket.ws.send(frame);
      }

      expect(await socket.closed).to.equal(code);
    });
  }

  it("closes with 4408 when no token comes, pings or not", async () => {
    await using stack = await startStack({}, { GATEWAY_HELLO_TIMEOUT_MS: "300" });
    using socket = await new TestSocket(stack.gateway.address).opened();
    const pinging = setInterval(() => socket.ws.ping(), 50);

    const code = await socket.closed;
    clearInterval(pinging);

    expect(code).to.equal(4408);
  });

  it("counts the time for the second service from the end of the first", async () => {
    let offset = 0;
    await using stack = await startStack({}, { GATEWAY_HELLO_TIMEOUT_MS: "10000" }, { clock: () => Date.now() + offset });
    using socket = await new TestSocket(stack.gateway.address, "/connect/account,chat").opened();
    using untilOffset17 = await new TestSocket(stack.gateway.address).opened();

    offset = 8_500;
    await socket.exchange(1);
    offset = 17_000;
    const other = await untilOffset17.closed;
    const openAfter17 = socket.ws.readyState;
    offset = 19_000;

    expect([other, openAfter17]).to.deep.equal([4408, 1]);
    expect(await socket.closed).to.equal(4408);
  });

  it("negotiates no compression", async () => {
    await using stack = await startStack();
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.alloc(16).toString("base64"),
      "sec-websocket-extensions": "permessage-deflate; client_max_window_bits",
    };

    const upgrading = get(`${stack.gateway.address}/connect/chat`, { headers });
    const [response, socket] = (await once(upgrading, "upgrade")) as [IncomingMessage, Socket];
    socket.destroy();

    expect(response.statusCode).to.equal(101);
    expect(response.headers).not.to.have.property("sec-websocket-extensions");
  });

  it("closes with 4503 when the account service cannot be reached", async () => {
    await using stack = await startStack();
    await stack.account[Symbol.asyncDispose]();
    using socket = await new TestSocket(stack.gateway.address).opened();

    socket.ws.send(GOOD_TOKEN);

    expect(await socket.closed).to.equal(4503);
  });

  it("closes with 4503 when the account service does not judge", async () => {
    await using stack = await startStack({
      token: {
        presentRefreshToken: () => {
          throw new SallyportError("UNAVAILABLE", "no primary", { reason: "DATABASE_UNAVAILABLE" });
        },
      },
    });
    using socket = await new TestSocket(stack.gateway.address).opened();

    socket.ws.send(GOOD_TOKEN);

    expect(await socket.closed).to.equal(4503);
  });

  it("ends a judgement that takes longer than the hello timeout with 4503", async () => {
    await using stack = await startStack(
      { token: { presentRefreshToken: () => new Promise(() => undefined) } },
      { GATEWAY_HELLO_TIMEOUT_MS: "300" },
    );
    using socket = await new TestSocket(stack.gateway.address).opened();

    socket.ws.send(GOOD_TOKEN);

    expect(await socket.closed).to.equal(4503);
  });

  for (const path of [
    "/connect/",
    "/connect/mail",
    "/connect/chat,chat",
    "/connect/chat,",
    "/connect/,chat",
    "/connect/chat/account",
    "/connect",
  ]) {
    it(`answers 404 to an upgrade of ${path}`, async () => {
      await using stack = await startStack();
      using socket = new TestSocket(stack.gateway.address, path);

      const [, response] = await once(socket.ws, "unexpected-response");

      expect(response.statusCode).to.equal(404);
    });
  }

  it("answers 403 to a foreign origin and admits its own", async () => {
    await using stack = await startStack();
    const headers = (origin: string) => ({ headers: { origin } });
    using foreign = new TestSocket(stack.gateway.address, "/connect/chat", headers("http://evil.example"));
    using own = new TestSocket(stack.gateway.address, "/connect/chat", headers(stack.gateway.address));

    const [, response] = await once(foreign.ws, "unexpected-response");
    await own.opened();

    expect(response.statusCode).to.equal(403);
  });

  it("confirms every service once a well-formed frame has come, and not before", async () => {
    await using stack = await startStack();
    const confirmed: string[] = [];
    stack.account.asked.on("confirmRefreshToken", ({ service }: { service: string }) => confirmed.push(service));
    using socket = await new TestSocket(stack.gateway.address, "/connect/account,chat").exchange(2);
    const before = [...confirmed];

    socket.ws.send(Buffer.alloc(0));
    socket.call(1, LIST);
    await socket.nextReply();

    expect(before).to.deep.equal([]);
    expect(confirmed.sort()).to.deep.equal(["account", "chat"]);
  });

  it("holds replies until the confirmation is durable, through an outage", async () => {
    let refusals = 2;
    await using stack = await startStack({
      token: {
        confirmRefreshToken: () => {
          refusals -= 1;
          if (refusals >= 0) {
            throw new SallyportError("UNAVAILABLE", "no primary", { reason: "DATABASE_UNAVAILABLE" });
          }
          return {};
        },
      },
    });
    using socket = await new TestSocket(stack.gateway.address).exchange();

    socket.call(1, LIST);
    const reply = await socket.nextReply();

    expect(reply.code).to.equal(0);
    expect(refusals).to.equal(-1);
  });
});
