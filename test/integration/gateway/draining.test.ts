import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { expect } from "chai";
import type { ListBlockedAccountsResponse } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { startStack, TestSocket } from "./harness.ts";

const LIST = "/sallyport.chat.v1.ChatService/ListBlockedAccounts";
const UNKNOWN = "/sallyport.chat.v1.ChatService/None";
const NONE: ListBlockedAccountsResponse = { accountIds: [] };

/** An answer that is given when the test says so. */
function deferred(): { answer: () => Promise<ListBlockedAccountsResponse>; give: () => void } {
  let give: () => void = () => undefined;
  const given = new Promise<ListBlockedAccountsResponse>((resolve) => {
    give = () => resolve(NONE);
  });
  return { answer: () => given, give: () => give() };
}

/** Calls until the socket's time to close has come: then a call is refused, and told so. */
async function refusedCall(socket: TestSocket): Promise<{ code: number; details: number }> {
  for (let id = 100; ; id += 1) {
    socket.call(id, UNKNOWN);
    const { code, details } = await socket.nextReply();
    if (code !== 12) {
      return { code, details: details.length };
    }
  }
}

async function post(agent: Agent, address: string): Promise<IncomingMessage> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${Buffer.alloc(32, 5).toString("base64")}` };
  const sent = request(`${address}${LIST}`, { method: "POST", agent, headers }).end("{}");
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  await once(response.resume(), "end");
  return response;
}

describe("a gateway that is drained", () => {
  it("finishes the calls in flight before it closes their socket, and has later ones made elsewhere", async () => {
    const slow = deferred();
    await using stack = await startStack(
      { chat: { listBlockedAccounts: slow.answer } },
      { GATEWAY_DRAIN_MS: "20000" },
      { random: () => 0 },
    );
    using socket = await new TestSocket(stack.gateway.address).exchange();
    const asked = once(stack.chat.asked, "listBlockedAccounts");
    socket.call(1, LIST);
    await asked;

    const disposed = stack.gateway[Symbol.asyncDispose]();
    const event = await socket.nextEvent();
    const refused = await refusedCall(socket);
    slow.give();
    const { callId, code } = await socket.nextReply();

    expect(event).to.deep.equal({ draining: {} });
    expect(refused).to.deep.equal({ code: 14, details: 2 });
    expect({ callId, code }).to.deep.equal({ callId: 1, code: 0 });
    expect(await socket.closed).to.equal(4001);
    await disposed;
  });

  it("closes a socket at the end of the window whatever is in flight on it", async () => {
    await using stack = await startStack(
      { chat: { listBlockedAccounts: () => new Promise(() => undefined) } },
      { GATEWAY_DRAIN_MS: "500" },
    );
    using socket = await new TestSocket(stack.gateway.address).exchange();
    const asked = once(stack.chat.asked, "listBlockedAccounts");
    socket.call(1, LIST);
    await asked;

    await stack.gateway[Symbol.asyncDispose]();

    expect(await socket.closed).to.equal(4001);
  });

  it("finishes the HTTP calls in flight, and ends the connections that carried them", async () => {
    const slow = deferred();
    await using stack = await startStack({ chat: { listBlockedAccounts: slow.answer } }, { GATEWAY_DRAIN_MS: "20000" });
    const agent = new Agent({ keepAlive: true });
    const asked = once(stack.chat.asked, "listBlockedAccounts");
    const answer = post(agent, stack.gateway.address);
    await asked;

    const disposed = stack.gateway[Symbol.asyncDispose]();
    slow.give();
    const response = await answer;
    await disposed;
    agent.destroy();

    expect(response.statusCode).to.equal(200);
    expect(response.headers.connection).to.equal("close");
  });

  it("tells those who keep a connection to end it, and refuses them sockets", async () => {
    await using stack = await startStack(
      { chat: { listBlockedAccounts: () => NONE } },
      { GATEWAY_DRAIN_MS: "20000" },
      { random: () => 0.999 },
    );
    using socket = await new TestSocket(stack.gateway.address).exchange();
    const agents = [1, 2].map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
    const before = await Promise.all(agents.map((agent) => post(agent, stack.gateway.address)));
    const disposed = stack.gateway[Symbol.asyncDispose]();
    await socket.nextEvent();

    const [calls, upgrades] = agents as [Agent, Agent];
    const after = await post(calls, stack.gateway.address);
    const upgrade = new TestSocket(stack.gateway.address, "/connect/chat", { agent: upgrades });
    const [, refusal] = (await once(upgrade.ws, "unexpected-response")) as [unknown, IncomingMessage];
    socket.ws.close();
    await disposed;
    agents.forEach((agent) => {
      agent.destroy();
    });

    expect(before.map(({ headers }) => headers.connection)).to.deep.equal([undefined, undefined]);
    expect([after.statusCode, after.headers.connection]).to.deep.equal([200, "close"]);
    expect([refusal.statusCode, refusal.headers.connection]).to.deep.equal([503, "close"]);
  });
});
