import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { unavailable } from "../../../platform/errors.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import { fromWireStatus } from "../../../platform/rpc/status.ts";
import type { PresentRefreshTokenResponse } from "../../../proto/gen/sallyport/account/v1/token.ts";
import { parseExposition, readValue } from "../../support/exposition.ts";
import { FreezingProxy } from "../../support/freezing-proxy.ts";
import { type Fake, GRANT_ID, NEXT_TOKEN, startFakeAccount, startFakeChat } from "./fake-services.ts";
import { type Stack, startStack, TestSocket } from "./harness.ts";

const LIST = "/sallyport.chat.v1.ChatService/ListBlockedAccounts";

async function readiness({ gateway }: Stack): Promise<readonly [number, unknown]> {
  const response = await fetch(`${gateway.adminAddress}/readyz`);
  return [response.status, await response.json()];
}

/** A value of the gateway's metrics, once it is what is waited for. */
async function metricBecomes({ gateway }: Stack, name: string, labels: Record<string, string>, wanted: number): Promise<void> {
  const read = async (): Promise<number | undefined> => {
    const response = await fetch(`${gateway.adminAddress}/metrics`);
    return readValue(parseExposition(await response.text()), name, { role: "gateway", ...labels });
  };
  while ((await read()) !== wanted) {
    await new Promise(setImmediate);
  }
}

async function callOn(socket: TestSocket, id: number): Promise<ReturnType<typeof fromWireStatus> | "OK"> {
  socket.call(id, LIST);
  const { code, message, details } = await socket.nextReply();
  return code === 0 ? "OK" : fromWireStatus({ code, message, details });
}

describe("a gateway that loses copies of a service", () => {
  it("is ready while one of each is in order, and lists those that are not", async () => {
    await using parts = new Disposables();
    const others = [parts.use(await startFakeChat()), parts.use(await startFakeChat())] as [Fake, Fake];
    await using stack = await startStack({}, {}, {}, { moreChats: others });
    const whole = await readiness(stack);

    others[0].server.setHealth("database", false);
    await others[1][Symbol.asyncDispose]();
    const some = await readiness(stack);
    stack.chat.server.setHealth("", false);
    const none = await readiness(stack);

    expect(whole).to.deep.equal([200, { status: "ready" }]);
    expect(some).to.deep.equal([
      200,
      { status: "ready", failing: [`chat database at ${others[0].address}`, `chat at ${others[1].address}`] },
    ]);
    expect(none).to.deep.equal([503, { status: "not ready", failing: ["chat", "chat database"] }]);
  });

  it("fails calls with UNAVAILABLE and a hint while there is none, closes sockets as ever, and goes on when one is back", async () => {
    await using parts = new Disposables();
    await using stack = await startStack();
    using socket = await new TestSocket(stack.gateway.address).exchange();
    using gone = await new TestSocket(stack.gateway.address).exchange();
    await callOn(socket, 1);

    await Promise.all([stack.account, stack.chat].map((copy) => copy[Symbol.asyncDispose]()));
    await metricBecomes(stack, "sallyport_copies_serving", { service: "chat" }, 0);
    const meanwhile = await callOn(socket, 2);
    gone[Symbol.dispose]();
    await metricBecomes(stack, "sallyport_sockets", {}, 1);
    const account = parts.use(await startFakeAccount({}, stack.account.address));
    const chat = parts.use(await startFakeChat({}, stack.chat.address));
    await Promise.all([once(account.asked, "releaseConnection"), once(chat.asked, "activate")]);

    expect(meanwhile).to.include({ status: "UNAVAILABLE", reason: "SERVICE_UNREACHABLE", retryAfterMs: 500 });
    expect(await callOn(socket, 3)).to.equal("OK");
  });

  it("tries a call once, whatever comes of it: who called decides whether to try again", async () => {
    await using parts = new Disposables();
    let attempts = 0;
    const fail = (): never => {
      attempts += 1;
      throw unavailable("out of order", "OUT_OF_ORDER");
    };
    const broken = { chat: { listBlockedAccounts: fail, reportMessages: fail } };
    const other = parts.use(await startFakeChat(broken));
    await using stack = await startStack(broken, {}, {}, { moreChats: [other] });
    using socket = await new TestSocket(stack.gateway.address).exchange();
    const headers = { "content-type": "application/json", authorization: `Bearer ${Buffer.alloc(32, 5).toString("base64")}` };
    const report = JSON.stringify({ reason: "", messages: [{ receipt: "r", body: "aGk=" }] });
    const post = async (method: string, body: string): Promise<number> =>
      (await fetch(`${stack.gateway.address}/sallyport.chat.v1.ChatService/${method}`, { method: "POST", headers, body })).status;

    const onSocket = await callOn(socket, 1);
    const statuses = [await post("ListBlockedAccounts", "{}"), await post("ReportMessages", report)];

    expect(onSocket).to.include({ status: "UNAVAILABLE", reason: "OUT_OF_ORDER" });
    expect(statuses).to.deep.equal([503, 503]);
    expect(attempts).to.equal(3);
  });

  it("gives up one that says nothing any more: its calls fail at once, its sockets go to another, and it is counted", async function () {
    this.timeout(40_000);
    await using parts = new Disposables();
    const folder = await mkdtemp(join(tmpdir(), "sallyport-copies-"));
    parts.defer(() => rm(folder, { recursive: true }));
    const hang = { chat: { listBlockedAccounts: () => new Promise<never>(() => undefined) } };
    const frozen = parts.use(await startFakeChat(hang, `unix:${join(folder, "chat")}`));
    const proxy = parts.use(await FreezingProxy.start(join(folder, "proxy"), join(folder, "chat")));
    const moreChats = [{ ...frozen, address: `unix:${join(folder, "proxy")}` }];
    await using stack = await startStack({ token: { presentRefreshToken: somebodyNew } }, {}, {}, { moreChats });
    using socket = await attachedAt(frozen, stack, parts);
    const asked = once(frozen.asked, "listBlockedAccounts");
    const moved = once(stack.chat.asked, "activate");

    socket.call(1, LIST, new Uint8Array(0), 60_000);
    await asked;
    proxy.freeze();
    const stuck = await socket.nextReply();
    await moved;
    const ready = await readiness(stack);

    expect(stuck.code).to.equal(14);
    expect(await callOn(socket, 2)).to.equal("OK");
    expect(ready).to.deep.equal([200, { status: "ready", failing: [`chat at ${moreChats[0]?.address}`] }]);
    await metricBecomes(stack, "sallyport_relays_given_up_total", { service: "chat" }, 1);
  });
});

function somebodyNew(): PresentRefreshTokenResponse {
  const tokens = { nextRefreshToken: NEXT_TOKEN, accessToken: randomBytes(32), grantId: GRANT_ID };
  return { accountId: randomUUID(), sessionId: randomUUID(), generation: 2, ...tokens };
}

/** A socket of somebody whose events a certain copy delivers. */
async function attachedAt(copy: Fake, stack: Stack, parts: Disposables): Promise<TestSocket> {
  for (;;) {
    const activated = Promise.race([copy, stack.chat].map(async (one) => once(one.asked, "activate").then(() => one)));
    const socket = await new TestSocket(stack.gateway.address).exchange();
    parts.defer(() => socket[Symbol.dispose]());
    if ((await activated) === copy) {
      return socket;
    }
  }
}
