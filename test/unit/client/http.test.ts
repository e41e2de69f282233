import type { IncomingHttpHeaders } from "node:http";
import { expect } from "chai";
import { CallError } from "../../../client/call-error.ts";
import { createClient } from "../../../client/client.ts";
import { nodeSurroundings } from "../../../client/node.ts";
import { memoryTokenStore } from "../../../client/token-store.ts";
import { BadRequest, ErrorInfo } from "../../../proto/gen/google/rpc/error_details.ts";
import { LoginRequest, LoginResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import { ListBlockedAccountsResponse, ReportMessagesRequest, ReportMessagesResponse } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { serveExchange, startConnected, startHarness } from "./harness.ts";
import { type ScriptedServer, scriptedServer } from "./scripted-server.ts";
import { accessToken, refreshToken } from "./tokens.ts";

interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A server that answers its HTTP requests one after the other, and remembers them. */
async function answering(
  ...answers: readonly { status: number; body: Uint8Array | string }[]
): Promise<{ server: ScriptedServer; asked: Asked[] }> {
  const left = [...answers];
  const asked: Asked[] = [];
  const server = await scriptedServer(({ url = "", headers }, body, response) => {
    asked.push({ path: url, headers, body });
    const answer = left.shift() ?? { status: 500, body: "" };
    response.writeHead(answer.status).end(answer.body);
  });
  return { server, asked };
}

const NONE_BLOCKED = { status: 200, body: ListBlockedAccountsResponse.encode({ accountIds: [] }).finish() };

const REFUSED = { status: 401, body: '{"code":"unauthenticated"}' };

/** The bytes that the access tokens of requests consist of. */
function bearers(asked: readonly Asked[]): (number | undefined)[] {
  return asked.map(({ headers }) => Buffer.from(headers.authorization?.replace("Bearer ", "") ?? "", "base64")[0]);
}

async function failure(call: Promise<unknown>): Promise<CallError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).to.be.instanceOf(CallError);
  return outcome as CallError;
}

describe("calls over HTTP", () => {
  it("carry the access token of their service", async () => {
    const { server, asked } = await answering(NONE_BLOCKED);
    await using harness = await startConnected({ server });

    const answer = await harness.connection.chat.listBlockedAccounts({}, { via: "http", timeoutMs: 4_000 });

    expect(answer).to.deep.equal({ accountIds: [] });
    expect(asked[0]?.path).to.equal("/sallyport.chat.v1.ChatService/ListBlockedAccounts");
    expect(asked[0]?.headers).to.include({
      authorization: `Bearer ${accessToken(2).toString("base64")}`,
      "content-type": "application/proto",
      "connect-protocol-version": "1",
      "connect-timeout-ms": "4000",
    });
  });

  it("are made of what is too large for a frame", async () => {
    const { server, asked } = await answering({ status: 200, body: ReportMessagesResponse.encode({ reportId: "r" }).finish() });
    await using harness = await startConnected({ server });
    const messages = [1, 2, 3].map((byte) => ({ receipt: "jws", body: new Uint8Array(65_536).fill(byte) }));

    const { reportId } = await harness.connection.chat.reportMessages({ reason: "spam", messages });

    expect(reportId).to.equal("r");
    expect(ReportMessagesRequest.decode(asked[0]?.body ?? Buffer.alloc(0)).messages.map(({ body }) => body.length)).to.deep.equal([
      65_536, 65_536, 65_536,
    ]);
  });

  it("wait for an access token", async () => {
    const { server, asked } = await answering(NONE_BLOCKED);
    await using harness = await startHarness({ server });
    const answer = harness.connection.chat.listBlockedAccounts({}, { via: "http" });

    await serveExchange(server, 5);
    await answer;

    expect(asked[0]?.headers.authorization).to.equal(`Bearer ${accessToken(5).toString("base64")}`);
  });

  it("are made again with the next access token when the socket of theirs was lost", async () => {
    const tokens: (string | undefined)[] = [];
    let lose = async (): Promise<void> => undefined;
    const server = await scriptedServer(async ({ headers }, _body, response) => {
      tokens.push(headers.authorization);
      if (tokens.length === 1) {
        await lose();
        response.writeHead(401).end('{"code":"unauthenticated"}');
      } else {
        response.writeHead(200).end(NONE_BLOCKED.body);
      }
    });
    await using harness = await startConnected({ server });
    const lost = new Promise<void>((resolve) => {
      lose = async () => {
        harness.socket.cut();
        await harness.timers.set(250);
        resolve();
      };
    });

    const answer = harness.connection.chat.listBlockedAccounts({}, { via: "http" });
    await lost;
    (await harness.timers.set(250)).run();
    await serveExchange(server, 3);

    expect(await answer).to.deep.equal({ accountIds: [] });
    expect(tokens).to.deep.equal([2, 3].map((byte) => `Bearer ${accessToken(byte).toString("base64")}`));
  });

  it("replace a socket whose end was not heard of, and are made again with the next access token", async () => {
    const { server, asked } = await answering(REFUSED, { status: 200, body: ReportMessagesResponse.encode({ reportId: "r" }).finish() });
    await using harness = await startConnected({ server });

    const answer = harness.connection.chat.reportMessages({ reason: "spam", messages: [] }, { via: "http" });
    await harness.socket.closed();
    (await harness.timers.set(250)).run();
    await serveExchange(server, 3);

    expect(await answer).to.deep.equal({ reportId: "r" });
    expect(bearers(asked)).to.deep.equal([2, 3]);
  });

  it("replace one socket, however many of them are refused", async () => {
    const { server, asked } = await answering(REFUSED, REFUSED, REFUSED, NONE_BLOCKED, NONE_BLOCKED, NONE_BLOCKED);
    await using harness = await startConnected({ server });

    const answers = [1, 2, 3].map(() => harness.connection.chat.listBlockedAccounts({}, { via: "http" }));
    (await harness.timers.set(250)).run();
    await serveExchange(server, 3);
    await Promise.all(answers);

    expect(bearers(asked)).to.have.members([2, 2, 2, 3, 3, 3]);
    expect(server.opened()).to.equal(2);
  });

  it("are made again as often as the socket is lost under them", async () => {
    let lose = async (): Promise<void> => undefined;
    const tokens: (string | undefined)[] = [];
    const server = await scriptedServer(async ({ headers }, _body, response) => {
      tokens.push(headers.authorization);
      if (tokens.length === 2) {
        await lose();
      }
      const answer = tokens.length <= 2 ? REFUSED : NONE_BLOCKED;
      response.writeHead(answer.status).end(answer.body);
    });
    await using harness = await startConnected({ server });
    const answer = harness.connection.chat.listBlockedAccounts({}, { via: "http" });
    const retry = await harness.timers.set(250);
    const lost = new Promise<void>((resolve) => {
      lose = async () => {
        second.cut();
        await harness.timers.set(500);
        resolve();
      };
    });

    retry.run();
    const second = await serveExchange(server, 3);
    await lost;
    (await harness.timers.set(500)).run();
    await serveExchange(server, 4);

    expect(await answer).to.deep.equal({ accountIds: [] });
    expect(tokens).to.deep.equal([2, 3, 4].map((byte) => `Bearer ${accessToken(byte).toString("base64")}`));
  });

  it("fail when an access token is refused that was just exchanged and whose socket stands", async () => {
    const { server, asked } = await answering(REFUSED, REFUSED);
    await using harness = await startConnected({ server });

    const call = failure(harness.connection.chat.listBlockedAccounts({}, { via: "http" }));
    (await harness.timers.set(250)).run();
    await serveExchange(server, 3);

    expect(await call).to.include({ code: "UNAUTHENTICATED" });
    expect(asked).to.have.length(2);
    await harness.connection.ready();
    expect(server.opened()).to.equal(2);
  });

  it("ask for a login when their access token was refused because the session is over", async () => {
    const { server } = await answering(REFUSED);
    await using harness = await startConnected({ server });

    const call = failure(harness.connection.chat.listBlockedAccounts({}, { via: "http" }));
    (await harness.timers.set(250)).run();
    (await server.socket()).close(4401);

    expect(await call).to.include({ code: "UNAUTHENTICATED", reason: "LOGIN_REQUIRED" });
  });

  it("end at their deadline when their access token was refused and no other comes", async () => {
    const { server } = await answering(REFUSED);
    await using harness = await startConnected({ server });

    const call = failure(harness.connection.chat.listBlockedAccounts({}, { via: "http", timeoutMs: 700 }));
    await harness.timers.set(250);
    (await harness.timers.set(700)).run();

    expect(await call).to.include({ code: "DEADLINE_EXCEEDED" });
  });

  it("fail with what the server says", async () => {
    const info = Buffer.from(ErrorInfo.encode({ reason: "FIELD_RULE_VIOLATED", domain: "sallyport", metadata: {} }).finish());
    const fieldViolations = [{ field: "messages[1].receipt", description: "is forged", reason: "", localizedMessage: undefined }];
    const bad = Buffer.from(BadRequest.encode({ fieldViolations }).finish());
    const details = [
      { type: "google.rpc.ErrorInfo", value: info.toString("base64").replace(/=+$/, "") },
      { type: "google.rpc.BadRequest", value: bad.toString("base64").replace(/=+$/, "") },
      { type: "google.rpc.FromTheFuture" },
      null,
    ];
    const { server } = await answering({ status: 400, body: JSON.stringify({ code: "invalid_argument", message: "no", details }) });
    await using harness = await startConnected({ server });

    const error = await failure(harness.connection.chat.listBlockedAccounts({}, { via: "http" }));

    expect(error).to.include({ code: "INVALID_ARGUMENT", message: "no", reason: "FIELD_RULE_VIOLATED" });
    expect(error.violations).to.deep.equal([{ field: "messages[1].receipt", description: "is forged" }]);
  });

  for (const [status, code] of [
    [404, "UNIMPLEMENTED"],
    [403, "PERMISSION_DENIED"],
    [418, "UNKNOWN"],
  ] as const) {
    it(`fail with ${code} at HTTP status ${status} without a readable answer`, async () => {
      const { server } = await answering({ status, body: "<html>" });
      await using harness = await startConnected({ server });

      expect(await failure(harness.connection.chat.listBlockedAccounts({}, { via: "http" }))).to.include({ code });
    });
  }

  it("are repeated while the server is unavailable", async () => {
    const { server, asked } = await answering({ status: 503, body: "" }, NONE_BLOCKED);
    await using harness = await startConnected({ server });
    const answer = harness.connection.chat.listBlockedAccounts({}, { via: "http" });

    (await harness.timers.set(250)).run();
    await answer;

    expect(asked).to.have.length(2);
  });

  it("are refused for a service that the connection is not made for", async () => {
    await using harness = await startConnected();

    expect(await failure(harness.connection.account.getAccount({}, { via: "http" }))).to.include({ reason: "SERVICE_NOT_CONNECTED" });
  });

  it("fail at their deadline", async () => {
    const server = await scriptedServer(() => undefined);
    await using harness = await startConnected({ server });
    const call = failure(harness.connection.chat.listBlockedAccounts({}, { via: "http", timeoutMs: 700 }));

    (await harness.timers.set(700)).run();

    expect(await call).to.include({ code: "DEADLINE_EXCEEDED" });
  });
});

describe("a login", () => {
  it("puts the refresh token of every service into the store", async () => {
    const tokens = {
      account: { refreshToken: refreshToken(3), accessToken: accessToken(3) },
      chat: { refreshToken: refreshToken(4), accessToken: accessToken(4) },
    };
    const { server, asked } = await answering({
      status: 200,
      body: LoginResponse.encode({ accountId: "a", created: true, tokens }).finish(),
    });
    await using _ = server;
    const store = memoryTokenStore();
    const client = createClient({ url: `${server.url}/`, surroundings: nodeSurroundings() });

    const outcome = await client.login({ dev: { name: "alice" } }, store, { client: { platform: "test", version: "1" } });

    expect(outcome).to.deep.equal({ accountId: "a", created: true });
    expect(asked[0]?.path).to.equal("/sallyport.account.v1.AccountService/Login");
    expect(LoginRequest.decode(asked[0]?.body ?? Buffer.alloc(0))).to.deep.equal({
      credential: { $case: "dev", value: { name: "alice" } },
      client: { platform: "test", version: "1" },
    });
    expect([await store.load("account"), await store.load("chat")]).to.deep.equal([
      new Uint8Array(refreshToken(3)),
      new Uint8Array(refreshToken(4)),
    ]);
  });

  it("says that the server cannot be reached", async () => {
    const server = await scriptedServer();
    await server[Symbol.asyncDispose]();
    const client = createClient({ url: server.url, surroundings: nodeSurroundings() });

    expect(await failure(client.login({ dev: { name: "alice" } }, memoryTokenStore()))).to.include({
      code: "UNAVAILABLE",
      reason: "UNREACHABLE",
    });
  });

  it("is for servers of http and https only", () => {
    expect(() => createClient({ url: "ftp://127.0.0.1", surroundings: nodeSurroundings() })).to.throw(TypeError);
    expect(() => createClient({ url: "somewhere", surroundings: nodeSurroundings() })).to.throw(TypeError);
  });
});
