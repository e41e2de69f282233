import { expect } from "chai";
import { CallError } from "../../../client/call-error.ts";
import { MAX_IN_FLIGHT } from "../../../client/calls.ts";
import { RESERVE } from "../../../client/retry-budget.ts";
import { BadRequest, ErrorInfo, RetryInfo } from "../../../proto/gen/google/rpc/error_details.ts";
import { LoginResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import { ListBlockedAccountsResponse, SendMessageRequest, SendMessageResponse } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { serveExchange, startConnected, startHarness } from "./harness.ts";

const MESSAGE = { recipientAccountId: "r", clientMessageId: "c", body: new Uint8Array([1, 2, 3]) };
const SENT = SendMessageResponse.encode({ messageId: "m", sentAt: undefined, receipt: "jws", state: 1 }).finish();
const NONE_BLOCKED = ListBlockedAccountsResponse.encode({ accountIds: [] }).finish();

async function failure(call: Promise<unknown>): Promise<CallError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).to.be.instanceOf(CallError);
  return outcome as CallError;
}

function detail(name: string, value: Uint8Array): { typeUrl: string; value: Buffer } {
  return { typeUrl: `type.googleapis.com/google.rpc.${name}`, value: Buffer.from(value) };
}

function rateLimited(retryDelay: { seconds: number; nanos: number }): { typeUrl: string; value: Buffer }[] {
  return [
    detail("ErrorInfo", ErrorInfo.encode({ reason: "RATE_LIMITED", domain: "sallyport", metadata: {} }).finish()),
    detail("RetryInfo", RetryInfo.encode({ retryDelay }).finish()),
  ];
}

describe("calls over the socket", () => {
  it("are typed from the method's path to its response", async () => {
    await using harness = await startConnected();
    const answer = harness.connection.chat.sendMessage(MESSAGE, { timeoutMs: 7_000 });

    const call = await harness.socket.nextCall();
    harness.socket.reply(call.id, SENT);

    expect(call.method).to.equal("/sallyport.chat.v1.ChatService/SendMessage");
    expect(call.timeoutMs).to.equal(7_000);
    expect(SendMessageRequest.decode(call.request)).to.deep.equal({ ...MESSAGE, body: Buffer.from(MESSAGE.body) });
    expect(await answer).to.deep.equal({ messageId: "m", sentAt: undefined, receipt: "jws", state: 1 });
  });

  it("get their own answers, whatever the order of these", async () => {
    await using harness = await startConnected();
    const answers = ["a", "b"].map((clientMessageId) => harness.connection.chat.sendMessage({ ...MESSAGE, clientMessageId }));
    const [first, second] = [await harness.socket.nextCall(), await harness.socket.nextCall()];

    harness.socket.reply(second.id, SendMessageResponse.encode({ messageId: "2", sentAt: undefined, receipt: "", state: 1 }).finish());
    harness.socket.reply(first.id, SendMessageResponse.encode({ messageId: "1", sentAt: undefined, receipt: "", state: 1 }).finish());

    expect((await Promise.all(answers)).map(({ messageId }) => messageId)).to.deep.equal(["1", "2"]);
  });

  it("fail with what the server says: code, reason, fields, time to wait", async () => {
    await using harness = await startConnected();
    const call = harness.connection.chat.sendMessage(MESSAGE);
    const fieldViolations = [{ field: "body", description: "must be 1 to 65536 bytes long", reason: "", localizedMessage: undefined }];

    harness.socket.refuse((await harness.socket.nextCall()).id, 3, [
      detail("ErrorInfo", ErrorInfo.encode({ reason: "FIELD_RULE_VIOLATED", domain: "sallyport", metadata: {} }).finish()),
      detail("BadRequest", BadRequest.encode({ fieldViolations }).finish()),
      detail("RetryInfo", RetryInfo.encode({ retryDelay: { seconds: 1, nanos: 500_000_000 } }).finish()),
      detail("FromTheFuture", Buffer.from("?")),
      { typeUrl: "", value: Buffer.alloc(0) },
    ]);
    const error = await failure(call);

    expect(error).to.include({ code: "INVALID_ARGUMENT", message: "refused", reason: "FIELD_RULE_VIOLATED", retryAfterMs: 1500 });
    expect(error.violations).to.deep.equal([{ field: "body", description: "must be 1 to 65536 bytes long" }]);
  });

  it("bear an error without readable details", async () => {
    await using harness = await startConnected();
    const call = harness.connection.chat.sendMessage(MESSAGE);

    harness.socket.refuse((await harness.socket.nextCall()).id, 77, [detail("ErrorInfo", Buffer.from([255]))]);

    expect(await failure(call)).to.include({ code: "UNKNOWN", reason: "UNKNOWN" });
  });

  it("fail at their deadline, and the server is told", async () => {
    await using harness = await startConnected();
    const call = failure(harness.connection.chat.sendMessage(MESSAGE, { timeoutMs: 700 }));
    const { id } = await harness.socket.nextCall();

    (await harness.timers.set(700)).run();

    expect(await call).to.include({ code: "DEADLINE_EXCEEDED", reason: "DEADLINE_EXCEEDED" });
    expect(await harness.socket.nextFrame()).to.deep.equal({ $case: "cancel", value: { callId: id } });
  });

  it("fail when the app cancels them, and the server is told", async () => {
    await using harness = await startConnected();
    const controller = new AbortController();
    const call = failure(harness.connection.chat.sendMessage(MESSAGE, { signal: controller.signal }));
    const { id } = await harness.socket.nextCall();

    controller.abort(new Error("the user left"));

    expect(await call).to.include({ code: "CANCELLED" });
    expect(await harness.socket.nextFrame()).to.deep.equal({ $case: "cancel", value: { callId: id } });
    expect(harness.timers.delays).to.deep.equal([]);
  });

  it("are not made when the app had cancelled them before", async () => {
    await using harness = await startConnected();

    expect(await failure(harness.connection.chat.sendMessage(MESSAGE, { signal: AbortSignal.abort() }))).to.include({ code: "CANCELLED" });
    expect(harness.socket.waiting).to.equal(0);
  });

  it("take no answer after they were given up", async () => {
    await using harness = await startConnected();
    const late = failure(harness.connection.chat.sendMessage(MESSAGE, { timeoutMs: 700 }));
    const { id } = await harness.socket.nextCall();
    (await harness.timers.set(700)).run();
    await late;

    harness.socket.reply(id, SENT);
    const call = harness.connection.chat.listBlockedAccounts({});
    harness.socket.reply((await harness.socket.nextCall()).id, NONE_BLOCKED);

    expect(await call).to.deep.equal({ accountIds: [] });
  });

  it("wait for a socket, and their deadline does not", async () => {
    await using harness = await startHarness();
    const inTime = harness.connection.chat.sendMessage(MESSAGE, { timeoutMs: 9_000 });
    const late = failure(harness.connection.chat.sendMessage(MESSAGE, { timeoutMs: 700 }));
    (await harness.timers.set(700)).run();
    harness.clock.now += 700;

    const socket = await serveExchange(harness.server, 2);
    const call = await socket.nextCall();
    socket.reply(call.id, SENT);

    expect(await late).to.include({ code: "DEADLINE_EXCEEDED" });
    expect(call.timeoutMs).to.equal(8_300);
    expect((await inTime).messageId).to.equal("m");
  });

  it("that may be repeated are made again after a reconnect, in their order, with the same request", async () => {
    await using harness = await startConnected();
    const answers = ["a", "b", "c"].map((clientMessageId) => harness.connection.chat.sendMessage({ ...MESSAGE, clientMessageId }));
    const before = [await harness.socket.nextCall(), await harness.socket.nextCall(), await harness.socket.nextCall()];
    harness.socket.reply(before[1]?.id ?? 0, SENT);
    await answers[1];
    harness.socket.cut();

    (await harness.timers.set(250)).run();
    const socket = await serveExchange(harness.server, 3);
    const again = [await socket.nextCall(), await socket.nextCall()];
    for (const { id } of again) {
      socket.reply(id, SENT);
    }

    expect(again.map(({ request }) => SendMessageRequest.decode(request).clientMessageId)).to.deep.equal(["a", "c"]);
    await Promise.all(answers);
  });

  it("that are made when a draining gateway is about to close the socket wait for the next one", async () => {
    await using harness = await startConnected();
    const early = harness.connection.chat.listBlockedAccounts({});
    const { id } = await harness.socket.nextCall();
    harness.socket.event({ draining: { reconnectAfterMs: 1_000 } });
    (await harness.timers.set(750)).run();
    const late = harness.connection.account.login({ credential: undefined, client: undefined });
    harness.socket.reply(id, NONE_BLOCKED);
    await early;
    expect(harness.socket.waiting).to.equal(0);
    harness.clock.now += 1_000;

    harness.socket.close(4001);
    const socket = await serveExchange(harness.server, 3);
    socket.reply((await socket.nextCall()).id, LoginResponse.encode({ accountId: "a", created: true, tokens: {} }).finish());

    expect((await late).accountId).to.equal("a");
  });

  it("that were lost with their socket are made again as far as the reserve goes, and then one by one", async () => {
    await using harness = await startConnected();
    const answers = Array.from({ length: MAX_IN_FLIGHT }, () => harness.connection.chat.listBlockedAccounts({}));
    while (harness.socket.waiting < MAX_IN_FLIGHT) {
      await new Promise((next) => setImmediate(next));
    }
    harness.socket.cut();
    (await harness.timers.set(250)).run();
    const socket = await serveExchange(harness.server, 3);
    const again = [];
    while (again.length < RESERVE) {
      again.push((await socket.nextCall()).id);
    }
    expect(socket.waiting).to.equal(0);

    (await harness.timers.set(1_000)).run();
    const paced = (await socket.nextCall()).id;
    for (const id of [...again, paced]) {
      socket.reply(id, NONE_BLOCKED);
    }
    for (let left = MAX_IN_FLIGHT - RESERVE - 1; left > 0; left -= 1) {
      (await harness.timers.within(1_000)).run();
      socket.reply((await socket.nextCall()).id, NONE_BLOCKED);
    }

    expect(await Promise.all(answers)).to.have.length(MAX_IN_FLIGHT);
  });

  it("that must not be repeated fail when the socket is lost", async () => {
    await using harness = await startConnected();
    const call = failure(harness.connection.account.login({ credential: undefined, client: undefined }));
    await harness.socket.nextCall();

    harness.socket.cut();

    expect(await call).to.include({ code: "UNAVAILABLE", reason: "CONNECTION_LOST" });
  });

  it("that must not be repeated are made once there is a socket, when they never went out", async () => {
    await using harness = await startHarness();
    const call = harness.connection.account.login({ credential: undefined, client: undefined });

    const socket = await serveExchange(harness.server, 2);
    socket.reply((await socket.nextCall()).id, LoginResponse.encode({ accountId: "a", created: true, tokens: {} }).finish());

    expect((await call).accountId).to.equal("a");
  });

  it("that may be repeated are made again while the server is unavailable", async () => {
    await using harness = await startConnected();
    const call = harness.connection.chat.sendMessage(MESSAGE);
    harness.socket.refuse((await harness.socket.nextCall()).id, 14);

    (await harness.timers.set(250)).run();
    harness.socket.reply((await harness.socket.nextCall()).id, SENT);

    expect((await call).messageId).to.equal("m");
  });

  it("say at their deadline what they failed with before", async () => {
    await using harness = await startConnected();
    const call = failure(harness.connection.chat.sendMessage(MESSAGE, { timeoutMs: 700 }));
    harness.socket.refuse((await harness.socket.nextCall()).id, 14);
    await harness.timers.set(250);

    (await harness.timers.set(700)).run();
    const error = await call;

    expect(error.code).to.equal("DEADLINE_EXCEEDED");
    expect(error.cause).to.include({ code: "UNAVAILABLE" });
    expect(harness.timers.delays).to.deep.equal([]);
  });

  for (const [title, path] of [
    ["that may be repeated", "sendMessage"],
    ["that must not be repeated", "login"],
  ] as const) {
    it(`${title} are made again after the time that a rate limit asks for`, async () => {
      await using harness = await startConnected();
      const { chat, account } = harness.connection;
      const call = path === "login" ? account.login({ credential: undefined, client: undefined }) : chat.sendMessage(MESSAGE);
      harness.socket.refuse((await harness.socket.nextCall()).id, 8, rateLimited({ seconds: 2, nanos: 0 }));

      (await harness.timers.set(2_250)).run();
      harness.socket.reply((await harness.socket.nextCall()).id, new Uint8Array(0));

      await call;
    });
  }

  it("are not made again when a rate limit asks for more time than they have", async () => {
    await using harness = await startConnected();
    const call = failure(harness.connection.chat.sendMessage(MESSAGE, { timeoutMs: 2_000 }));

    harness.socket.refuse((await harness.socket.nextCall()).id, 8, rateLimited({ seconds: 2, nanos: 0 }));

    expect(await call).to.include({ code: "RESOURCE_EXHAUSTED", reason: "RATE_LIMITED", retryAfterMs: 2_000 });
    expect(harness.timers.delays).to.deep.equal([]);
  });

  it("are repeated for no other error", async () => {
    await using harness = await startConnected();
    const call = failure(harness.connection.chat.sendMessage(MESSAGE));

    harness.socket.refuse((await harness.socket.nextCall()).id, 8);

    expect(await call).to.include({ code: "RESOURCE_EXHAUSTED" });
    expect(harness.timers.delays).to.deep.equal([]);
  });

  it("go out as many at a time as the gateway serves", async () => {
    await using harness = await startConnected();
    const answers = Array.from({ length: MAX_IN_FLIGHT + 1 }, () => harness.connection.chat.listBlockedAccounts({}));
    const ids = [];
    while (ids.length < MAX_IN_FLIGHT) {
      ids.push((await harness.socket.nextCall()).id);
    }
    expect(harness.socket.waiting).to.equal(0);

    harness.socket.reply(ids.pop() ?? 0, NONE_BLOCKED);
    ids.push((await harness.socket.nextCall()).id);
    for (const id of ids) {
      harness.socket.reply(id, NONE_BLOCKED);
    }

    await Promise.all(answers);
  });

  it("fail when the connection is over, and after", async () => {
    await using harness = await startConnected();
    const before = failure(harness.connection.chat.sendMessage(MESSAGE));
    await harness.socket.nextCall();

    harness.socket.close(4401);

    expect(await before).to.include({ code: "UNAUTHENTICATED", reason: "LOGIN_REQUIRED" });
    expect(await failure(harness.connection.chat.sendMessage(MESSAGE))).to.include({ reason: "LOGIN_REQUIRED" });
  });

  it("fail when the app closes the connection", async () => {
    await using harness = await startConnected();
    const call = failure(harness.connection.chat.sendMessage(MESSAGE));
    await harness.socket.nextCall();

    await harness.connection.close();

    expect(await call).to.include({ code: "UNAVAILABLE", reason: "CONNECTION_CLOSED" });
    expect(harness.timers.delays).to.deep.equal([]);
  });
});
