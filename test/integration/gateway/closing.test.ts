import { once } from "node:events";
import { expect } from "chai";
import type { Logger } from "../../../platform/logger.ts";
import type { ActivateRequest } from "../../../proto/gen/sallyport/chat/v1/delivery.ts";
import { ACCOUNT, GOOD_TOKEN, GRANT_ID, NEXT_TOKEN, SESSION } from "./fake-services.ts";
import { startStack, TestSocket } from "./harness.ts";

const nothing = (): void => undefined;
const LIST = "/sallyport.chat.v1.ChatService/ListBlockedAccounts";

describe("the end of a socket", () => {
  it("is 4401 as soon as its session is revoked", async () => {
    await using stack = await startStack();
    using socket = await new TestSocket(stack.gateway.address).exchange();

    for (const gateway of stack.account.gateways) {
      gateway.revoke(SESSION);
    }

    expect(await socket.closed).to.equal(4401);
  });

  it("is 4401 when the log of revocations names its session", async () => {
    let revoked: string[] = [];
    await using stack = await startStack({ token: { listRevocations: () => ({ sessionIds: revoked, cursor: "2" }) } });
    using socket = await new TestSocket(stack.gateway.address).exchange();

    revoked = [SESSION];

    expect(await socket.closed).to.equal(4401);
  });

  it("is 4401 in the middle of an exchange whose first session is revoked", async () => {
    await using stack = await startStack();
    using socket = await new TestSocket(stack.gateway.address, "/connect/account,chat").exchange(1);

    for (const gateway of stack.account.gateways) {
      gateway.revoke(SESSION);
    }

    expect(await socket.closed).to.equal(4401);
  });

  it("is 4401 for every socket of a revoked session, one still in its second exchange", async () => {
    await using stack = await startStack();
    using open = await new TestSocket(stack.gateway.address).exchange();
    using exchanging = await new TestSocket(stack.gateway.address, "/connect/account,chat").exchange(1);

    for (const gateway of stack.account.gateways) {
      gateway.revoke(SESSION);
    }

    expect(await Promise.all([open.closed, exchanging.closed])).to.deep.equal([4401, 4401]);
  });

  it("is 4401 when the session was revoked while its token was judged", async () => {
    let finish: () => void = () => undefined;
    await using stack = await startStack({
      token: {
        presentRefreshToken: () =>
          new Promise((resolve) => {
            const accessToken = Buffer.alloc(32, 5);
            finish = () =>
              resolve({
                accountId: ACCOUNT,
                sessionId: SESSION,
                generation: 2,
                nextRefreshToken: NEXT_TOKEN,
                accessToken,
                grantId: GRANT_ID,
              });
          }),
      },
    });
    using socket = await new TestSocket(stack.gateway.address).opened();
    const presented = once(stack.account.asked, "presentRefreshToken");
    socket.ws.send(GOOD_TOKEN);
    await presented;

    for (const gateway of stack.account.gateways) {
      gateway.revoke(SESSION);
    }
    finish();

    expect(await socket.closed).to.equal(4401);
    expect(await socket.next().catch((error: Error) => error.message)).to.equal("closed with 4401");
  });

  it("is 4001 after a draining event when the socket has grown old", async () => {
    await using stack = await startStack({}, { GATEWAY_MAX_SOCKET_AGE_MS: "500" });
    using socket = await new TestSocket(stack.gateway.address).exchange();

    const event = await socket.nextEvent();

    expect(event).to.have.nested.property("draining");
    expect(await socket.closed).to.equal(4001);
  });

  it("is 4001 after a draining event when the gateway stops, and without it during the exchange", async () => {
    await using stack = await startStack({}, { GATEWAY_DRAIN_MS: "2000" }, { random: () => 0.5 });
    using open = await new TestSocket(stack.gateway.address).exchange();
    using exchanging = await new TestSocket(stack.gateway.address).opened();

    const disposed = stack.gateway[Symbol.asyncDispose]();
    const event = await open.nextEvent();
    const ready = await fetch(`${stack.gateway.adminAddress}/readyz`);
    const refused = await fetch(stack.gateway.address).catch(() => "refused");
    const codes = [await open.closed, await exchanging.closed];
    await disposed;

    expect(event).to.deep.equal({ draining: { reconnectAfterMs: 1000 } });
    expect(ready.status).to.equal(503);
    expect(refused).to.equal("refused");
    expect(codes).to.deep.equal([4001, 4001]);
    expect(await exchanging.next().catch((error: Error) => error.message)).to.equal("closed with 4001");
  });

  it("is not waited for by a gateway without sockets", async () => {
    await using stack = await startStack({}, { GATEWAY_DRAIN_MS: "60000" });

    await stack.gateway[Symbol.asyncDispose]();
  });

  it("warns of a service copy that is lost, and not of those that a stopping gateway leaves", async () => {
    const warnings: string[] = [];
    let warned: () => void = () => undefined;
    const warning = new Promise<void>((resolve) => {
      warned = resolve;
    });
    const warn = (_fields: object, message: string): void => {
      warnings.push(message);
      warned();
    };
    await using stack = await startStack(
      {},
      {},
      {},
      { logger: { debug: nothing, info: nothing, error: nothing, warn } as unknown as Logger },
    );

    await stack.chat[Symbol.asyncDispose]();
    await warning;
    await stack.gateway[Symbol.asyncDispose]();

    expect(warnings).to.deep.equal(["service copy lost"]);
  });

  it("ends the leases of a gateway that stops", async () => {
    await using stack = await startStack();
    const ended = Promise.all([once(stack.account.asked, "endLease"), once(stack.chat.asked, "endLease")]);

    await stack.gateway[Symbol.asyncDispose]();

    expect(await ended).to.have.length(2);
  });

  it("is a cut when nothing is heard for the ping interval and 10 s, but pongs keep it", async () => {
    let offset = 0;
    await using stack = await startStack({}, { GATEWAY_PING_INTERVAL_MS: "200" }, { clock: () => Date.now() + offset });
    using silent = await new TestSocket(stack.gateway.address, "/connect/chat", { autoPong: false }).exchange();
    using lively = await new TestSocket(stack.gateway.address).exchange();

    await once(silent.ws, "ping");
    for (const step of [4_000, 8_000, 11_000]) {
      offset = step;
      await once(lively.ws, "ping");
    }

    expect(await silent.closed).to.equal(1006);
    expect(lively.ws.readyState).to.equal(1);
  });

  it("is 4008 when the client takes nothing of what waits for 30 s", async () => {
    let offset = 0;
    await using stack = await startStack(
      { chat: { listBlockedAccounts: () => ({ accountIds: Array.from({ length: 20_000 }, () => ACCOUNT) }) } },
      {},
      { clock: () => Date.now() + offset },
    );
    using socket = await new TestSocket(stack.gateway.address).exchange();
    using other = await new TestSocket(stack.gateway.address).exchange();
    const released = once(stack.account.asked, "releaseConnection");
    socket.ws.pause();
    for (let id = 1; id <= 8; id += 1) {
      socket.call(id, LIST);
    }
    other.call(1, LIST);
    await other.nextReply();

    offset = 31_000;
    await released;
    socket.ws.resume();

    expect(await socket.closed).to.equal(4008);
  });

  it("is 4008 when more waits than the gateway keeps for a socket", async () => {
    await using stack = await startStack({
      chat: { listBlockedAccounts: () => ({ accountIds: Array.from({ length: 20_000 }, () => ACCOUNT) }) },
    });
    using socket = await new TestSocket(stack.gateway.address).exchange();
    const released = once(stack.account.asked, "releaseConnection");
    socket.ws.pause();

    for (let id = 1; id <= 64; id += 1) {
      socket.call(id, LIST);
    }
    await released;
    socket.ws.resume();

    expect(await socket.closed).to.equal(4008);
  });

  it("never takes the socket that came after it along", async () => {
    await using stack = await startStack();
    const first = once(stack.chat.asked, "activate");
    using old = await new TestSocket(stack.gateway.address).exchange();
    const [{ connection }] = (await first) as [ActivateRequest];
    const second = once(stack.chat.asked, "activate");
    using young = await new TestSocket(stack.gateway.address).exchange();
    const [activation] = (await second) as [ActivateRequest];

    const detached = once(stack.chat.asked, "detach");
    old.ws.terminate();
    const [detach] = await detached;
    for (const gateway of stack.chat.gateways) {
      gateway.push(activation.connection, activation.epoch, { kind: { $case: "queueEmpty", value: {} } });
    }

    expect(detach.connection).to.equal(connection);
    expect(await young.nextEvent()).to.deep.equal({ queueEmpty: {} });
  });

  it("leaves the token usable wherever the upload was cut", async () => {
    await using stack = await startStack();
    let presentations = 0;
    stack.account.asked.on("presentRefreshToken", () => {
      presentations += 1;
    });

    for (let cut = 0; cut < GOOD_TOKEN.length + 8; cut += 64) {
      using socket = await new TestSocket(stack.gateway.address).opened();
      const raw = (socket.ws as unknown as { _socket: import("node:net").Socket })._socket;
      const header = Buffer.from([0x82, 0xfe, 0x04, 0x00, 0, 0, 0, 0]);
      raw.end(Buffer.concat([header, GOOD_TOKEN]).subarray(0, cut));
      await socket.closed;
    }
    using socket = await new TestSocket(stack.gateway.address).exchange();

    expect(socket.ws.readyState).to.equal(1);
    expect(presentations).to.equal(1);
  });
});
