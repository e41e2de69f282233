import { expect } from "chai";
import { unavailable } from "../../../platform/errors.ts";
import { LoginRequest } from "../../../proto/gen/sallyport/account/v1/account.ts";
import { SendMessageRequest } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { callFrom, type HttpAnswer, readRefusal, refusalOf, refusedUpgradeFrom } from "../../support/limited.ts";
import { RawSocket } from "../../support/raw-socket.ts";
import type { Overrides } from "./fake-services.ts";
import { type Stack, startStack, TestSocket } from "./harness.ts";

const LOGIN = "/sallyport.account.v1.AccountService/Login";
const REPORT = "/sallyport.chat.v1.ChatService/ReportMessages";
const GET_ACCOUNT = "/sallyport.account.v1.AccountService/GetAccount";
const SEND = "/sallyport.chat.v1.ChatService/SendMessage";
const GOOD = { authorization: `Bearer ${Buffer.alloc(32, 9).toString("base64")}` };
const REFUSED = { authorization: `Bearer ${Buffer.alloc(32, 0).toString("base64")}` };
const OF_OTHER = { authorization: `Bearer ${Buffer.alloc(32, 1).toString("base64")}` };
const GARBAGE = Buffer.alloc(1024, 1);
const JUST_RETIRED = Buffer.alloc(1024, 2);
const MESSAGE_PARTS = {
  recipientAccountId: "33333333-3333-4333-8333-333333333333",
  clientMessageId: "44444444-4444-4444-8444-444444444444",
  body: Buffer.from("body"),
};
const MESSAGE = SendMessageRequest.encode(MESSAGE_PARTS).finish();
const MESSAGE_JSON = JSON.stringify({ ...MESSAGE_PARTS, body: MESSAGE_PARTS.body.toString("base64") });
const LOGIN_JSON = JSON.stringify({ dev: { name: "alice" } });
const LOGIN_BYTES = LoginRequest.encode({ credential: { $case: "dev", value: { name: "alice" } }, client: undefined }).finish();
const HERE = "127.0.0.1";
const ELSEWHERE = "127.0.0.2";

/** A gateway with its limits on, whose clock stands still until it is set. */
interface Limited extends Stack {
  readonly clock: { now: number };
}

async function startLimited(env: Record<string, string> = {}, overrides: Overrides = {}): Promise<Limited> {
  const clock = { now: Date.now() };
  const stack = await startStack(overrides, { SALLYPORT_LIMITS: "on", ...env }, { clock: () => clock.now });
  return { ...stack, clock };
}

function logIn({ gateway }: Stack, from = HERE, body = LOGIN_JSON): Promise<HttpAnswer> {
  return callFrom(from, gateway.address, LOGIN, body);
}

/** How a socket ends that presents a token which is not accepted. */
async function present({ gateway }: Stack, token: Buffer, localAddress = HERE): Promise<string> {
  await using socket = await RawSocket.open(gateway.address, "/connect/chat", { localAddress });
  socket.send(token);
  const { code, reason } = await socket.closed();
  return `${code} ${reason}`.trim();
}

async function repeat<T>(times: number, act: () => Promise<T>): Promise<T[]> {
  const outcomes: T[] = [];
  while (outcomes.length < times) {
    outcomes.push(await act());
  }
  return outcomes;
}

/** How many of each there are. */
function tally(outcomes: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) {
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

const loginWorks: Overrides = { account: { login: () => ({ accountId: "a", created: true, tokens: {} }) } };

describe("the limit of refused exchanges", () => {
  it("closes 20 at once with 4401, and then with 4429 and the time to wait", async () => {
    await using stack = await startLimited();

    const ends = await repeat(25, () => present(stack, GARBAGE));
    stack.clock.now += 6_000;
    const later = await repeat(2, () => present(stack, GARBAGE));

    expect(tally(ends)).to.deep.equal({ "4401": 20, "4429 6000": 5 });
    expect(later).to.deep.equal(["4401", "4429 6000"]);
  });

  it("lets 10 a minute through, for as long as they are tried", async () => {
    await using stack = await startLimited();

    const ends = await repeat(300, () => {
      stack.clock.now += 2_000;
      return present(stack, GARBAGE);
    });

    expect(ends.filter((end) => end === "4401").length).to.be.within(119, 120);
  });

  it("is of each address, and never of tokens that are accepted", async () => {
    await using stack = await startLimited();
    await repeat(25, () => present(stack, GARBAGE));

    using accepted = await new TestSocket(stack.gateway.address).exchange();

    expect(accepted.ws.readyState).to.equal(1);
    expect(await present(stack, GARBAGE, ELSEWHERE)).to.equal("4401");
  });

  it("counts no token that was retired a moment ago, and never answers one with 4429", async () => {
    const presentRefreshToken = ({ refreshToken }: { refreshToken: Uint8Array }): never => {
      throw JUST_RETIRED.equals(refreshToken) ? unavailable("retired", "REFRESH_TOKEN_JUST_RETIRED") : new Error("a fault");
    };
    await using stack = await startLimited({}, { token: { presentRefreshToken } });

    const ends = await repeat(30, () => present(stack, JUST_RETIRED));
    const faults = await repeat(3, () => present(stack, GARBAGE));

    expect(tally(ends)).to.deep.equal({ "4503": 30 });
    expect(tally(faults)).to.deep.equal({ "4503": 3 });
  });

  it("has all tokens judged, when it is reached too", async () => {
    await using stack = await startLimited({ GATEWAY_LIMIT_REFUSED_EXCHANGES: "1/day burst 1" });
    let judged = 0;
    stack.account.asked.on("presentRefreshToken", () => {
      judged += 1;
    });

    const ends = await repeat(5, () => present(stack, GARBAGE));

    expect(tally(ends)).to.deep.equal({ "4401": 1, "4429 86400000": 4 });
    expect(judged).to.equal(5);
  });

  it("is of all clients together as well", async () => {
    await using stack = await startLimited({ GATEWAY_LIMIT_ALL_REFUSED_EXCHANGES: "1/second burst 2" });

    const ends = [await present(stack, GARBAGE, "127.0.0.3"), await present(stack, GARBAGE, "127.0.0.4"), await present(stack, GARBAGE)];

    expect(ends).to.deep.equal(["4401", "4401", "4429 1000"]);
  });
});

describe("the limit of new sockets", () => {
  it("refuses the 121st of an address with 429, says when to come back, and takes nothing by that", async () => {
    await using stack = await startLimited();
    const open = async (): Promise<void> => (await RawSocket.open(stack.gateway.address, "/connect/chat"))[Symbol.asyncDispose]();
    await repeat(120, open);

    const refused = await repeat(3, () => refusedUpgradeFrom(HERE, stack.gateway.address, "/connect/chat"));
    await using elsewhere = await RawSocket.open(stack.gateway.address, "/connect/chat", { localAddress: ELSEWHERE });
    stack.clock.now += 1_000;
    await open();

    for (const answer of refused) {
      expect(answer.status).to.equal(429);
      expect(answer.json).to.include({ code: "resource_exhausted" });
      expect(answer.headers).to.include({ "retry-after": "1", "content-type": "application/json" });
      expect(refusalOf(answer)).to.deep.equal({ reason: "RATE_LIMITED", retryAfterMs: 1_000 });
    }
    expect(elsewhere.socket.readyState).to.equal(1);
    expect((await refusedUpgradeFrom(HERE, stack.gateway.address, "/connect/chat")).status).to.equal(429);
  });

  it("lets one a second through, for as long as they are tried", async () => {
    await using stack = await startLimited();
    const open = async (): Promise<boolean> => {
      stack.clock.now += 500;
      try {
        await (await RawSocket.open(stack.gateway.address, "/connect/chat"))[Symbol.asyncDispose]();
        return true;
      } catch {
        return false;
      }
    };

    const opened = await repeat(600, open);

    expect(opened.filter((isOpen) => isOpen).length).to.be.within(419, 421);
  });

  it("counts no request that is refused for another reason", async () => {
    await using stack = await startLimited({ GATEWAY_LIMIT_SOCKETS: "1/day burst 1" });

    const refused = await repeat(3, () => refusedUpgradeFrom(HERE, stack.gateway.address, "/connect/none"));
    await using open = await RawSocket.open(stack.gateway.address, "/connect/chat");

    expect(refused.map(({ status }) => status)).to.deep.equal([404, 404, 404]);
    expect(open.socket.readyState).to.equal(1);
  });
});

describe("the limit of logins", () => {
  it("refuses the 21st of an address with 429 and the time to wait, before the body is read", async () => {
    await using stack = await startLimited({}, loginWorks);

    const answers = await repeat(20, () => logIn(stack));
    const refused = await logIn(stack, HERE, "no JSON at all");
    stack.clock.now += 6_000;
    const later = await repeat(2, () => logIn(stack));

    expect(tally(answers.map(({ status }) => status))).to.deep.equal({ "200": 20 });
    expect(refused.status).to.equal(429);
    expect(refused.headers).to.include({ "retry-after": "6" });
    expect(refusalOf(refused)).to.deep.equal({ reason: "RATE_LIMITED", retryAfterMs: 6_000 });
    expect(later.map(({ status }) => status)).to.deep.equal([200, 429]);
    expect((await logIn(stack, ELSEWHERE)).status).to.equal(200);
  });

  it("lets 10 a minute through, for as long as they are tried", async () => {
    await using stack = await startLimited({}, loginWorks);

    const answers = await repeat(400, () => {
      stack.clock.now += 1_500;
      return logIn(stack);
    });

    expect(answers.filter(({ status }) => status === 200).length).to.be.within(119, 120);
  });

  it("counts those on a socket with those over HTTP", async () => {
    await using stack = await startLimited({ GATEWAY_LIMIT_LOGINS: "1/day burst 2" }, loginWorks);
    using socket = await new TestSocket(stack.gateway.address).exchange();

    await logIn(stack);
    socket.call(1, LOGIN, LOGIN_BYTES);
    const second = await socket.nextReply();
    socket.call(2, LOGIN, LOGIN_BYTES);
    const third = await socket.nextReply();

    expect([second.code, third.code]).to.deep.equal([0, 8]);
    expect((await logIn(stack)).status).to.equal(429);
  });

  it("is of all clients together as well, and then takes nothing from the one that is refused", async () => {
    const env = { GATEWAY_LIMIT_ALL_LOGINS: "1/second burst 2", GATEWAY_LIMIT_LOGINS: "1/day burst 2" };
    await using stack = await startLimited(env, loginWorks);

    const answers = [await logIn(stack, "127.0.0.3"), await logIn(stack, "127.0.0.4"), await logIn(stack)];
    stack.clock.now += 2_000;
    const later = await repeat(3, () => logIn(stack));

    expect([...answers, ...later].map(({ status }) => status)).to.deep.equal([200, 200, 429, 200, 200, 429]);
  });
});

describe("the limits of an account", () => {
  it("count the messages of socket and HTTP together, and say when there is room", async () => {
    await using stack = await startLimited();
    using socket = await new TestSocket(stack.gateway.address).exchange();
    const sendHere = async (): Promise<number> => (await callFrom(HERE, stack.gateway.address, SEND, MESSAGE_JSON, GOOD)).status;
    const sendOnSocket = async () => {
      socket.call(1, SEND, MESSAGE);
      return await socket.nextReply();
    };

    const overHttp = await repeat(60, sendHere);
    const onSocket = await repeat(40, sendOnSocket);
    const refusedHere = await callFrom(HERE, stack.gateway.address, SEND, MESSAGE_JSON, GOOD);
    const refusedOnSocket = await sendOnSocket();
    stack.clock.now += 50;

    expect(tally(overHttp)).to.deep.equal({ "200": 60 });
    expect(tally(onSocket.map(({ code }) => code))).to.deep.equal({ "0": 40 });
    expect([refusedHere.status, refusedOnSocket.code]).to.deep.equal([429, 8]);
    for (const refusal of [refusalOf(refusedHere), readRefusal(refusedOnSocket.details)]) {
      expect(refusal).to.deep.equal({ reason: "RATE_LIMITED", retryAfterMs: 50 });
    }
    expect([(await sendOnSocket()).code, await sendHere()]).to.deep.equal([0, 429]);
  });

  it("let 20 messages a second through, for as long as they are tried", async () => {
    await using stack = await startLimited();
    using socket = await new TestSocket(stack.gateway.address).exchange();

    const codes = await repeat(1_000, async () => {
      stack.clock.now += 10;
      socket.call(1, SEND, MESSAGE);
      return (await socket.nextReply()).code;
    });

    expect(codes.filter((code) => code === 0).length).to.be.within(299, 300);
  });

  it("count other calls apart, also those that break their rules, and not those that nobody may make", async () => {
    await using stack = await startLimited();
    const get = (headers: Record<string, string>, body = "{}") => callFrom(HERE, stack.gateway.address, GET_ACCOUNT, body, headers);

    const unauthenticated = await repeat(10, () => get(REFUSED));
    const forbidden = await repeat(10, () => get(OF_OTHER));
    const answers = [...(await repeat(100, () => get(GOOD))), ...(await repeat(100, () => get(GOOD, "no JSON")))];
    const beyond = [await get(GOOD), await get(GOOD, "no JSON"), await get(REFUSED), await get(OF_OTHER)];

    expect(tally([...unauthenticated, ...forbidden, ...answers].map(({ status }) => status))).to.deep.equal({
      "200": 100,
      "400": 100,
      "401": 10,
      "403": 10,
    });
    expect(beyond.map(({ status }) => status)).to.deep.equal([429, 429, 401, 403]);
    expect((await callFrom(HERE, stack.gateway.address, SEND, MESSAGE_JSON, GOOD)).status).to.equal(200);
  });
});

describe("the limit of frames", () => {
  it("closes a socket that floods with 4429 and the time to wait, whatever the frames", async () => {
    await using stack = await startLimited({ GATEWAY_LIMIT_FRAMES: "10/second burst 50" });
    const floods = {
      keepAlives: (socket: TestSocket) => socket.send({ $case: "keepAlive", value: {} }),
      pings: (socket: TestSocket) => socket.ws.ping(),
    };

    for (const [name, flood] of Object.entries(floods)) {
      const socket = await new TestSocket(stack.gateway.address).exchange();
      const reason = new Promise<string>((resolve) => {
        socket.ws.on("close", (code: number, why: Buffer) => resolve(`${code} ${why.toString()}`));
      });
      for (let sent = 0; sent < 60; sent += 1) {
        flood(socket);
      }

      expect(await reason, name).to.equal("4429 5000");
    }
  });
});

describe("the limit of bytes in calls without a token", () => {
  it("refuses a body that is beyond it, and that of nobody else", async () => {
    await using stack = await startLimited({ GATEWAY_LIMIT_ANONYMOUS_BYTES: "1000/second burst 3000" }, loginWorks);
    const large = JSON.stringify({ dev: { name: "alice" }, filler: "x".repeat(2_000) });

    const first = await logIn(stack, HERE, large);
    const refused = await logIn(stack, HERE, large);

    expect([first.status, refused.status]).to.deep.equal([200, 429]);
    expect(refusalOf(refused).reason).to.equal("RATE_LIMITED");
    expect((await logIn(stack, ELSEWHERE, large)).status).to.equal(200);
    expect((await callFrom(HERE, stack.gateway.address, GET_ACCOUNT, large, GOOD)).status).to.equal(200);
  });
});

describe("the limit of bytes in calls with a token", () => {
  it("refuses a body that is beyond it, and that of nobody else", async () => {
    await using stack = await startLimited({ GATEWAY_LIMIT_BYTES: "1000/second burst 3000" }, loginWorks);
    const large = JSON.stringify({ filler: "x".repeat(2_000) });
    const call = (from: string): Promise<HttpAnswer> => callFrom(from, stack.gateway.address, GET_ACCOUNT, large, GOOD);

    const answers = [await call(HERE), await call(HERE)];

    expect(answers.map(({ status }) => status)).to.deep.equal([200, 429]);
    expect(refusalOf(answers[1] as HttpAnswer).reason).to.equal("RATE_LIMITED");
    expect((await call(ELSEWHERE)).status).to.equal(200);
    expect((await logIn(stack)).status).to.equal(200);
  });
});

describe("the limit of reports", () => {
  it("is of an account, far beyond what the chat service admits, and comes before the body is read", async () => {
    await using stack = await startLimited();
    const report = (body = "{}"): Promise<HttpAnswer> => callFrom(HERE, stack.gateway.address, REPORT, body, GOOD);

    const answers = await repeat(40, () => report());
    const refused = await report("no JSON at all");
    stack.clock.now += 6_000;
    const later = await repeat(2, () => report());

    expect(answers.filter(({ status }) => status === 429)).to.deep.equal([]);
    expect([refused.status, refusalOf(refused)]).to.deep.equal([429, { reason: "RATE_LIMITED", retryAfterMs: 6_000 }]);
    expect(later.map(({ status }) => status === 429)).to.deep.equal([false, true]);
    expect((await callFrom(HERE, stack.gateway.address, SEND, MESSAGE_JSON, GOOD)).status).to.equal(200);
  });
});

describe("a call whose body is refused because there is too much of it", () => {
  const large = JSON.stringify({ dev: { name: "alice" }, filler: "x".repeat(2_000) });
  const one = "1/day burst 1";

  it("takes nothing from its limit for want of room", async () => {
    const env = { SALLYPORT_LIMITS: "on", GATEWAY_LIMIT_LOGINS: one, GATEWAY_LIMIT_ALL_LOGINS: one, GATEWAY_LIMIT_MESSAGES: one };
    await using stack = await startStack(loginWorks, env, { bodyRoomBytes: 1_500 });
    const send = (body: string): Promise<HttpAnswer> => callFrom(HERE, stack.gateway.address, SEND, body, GOOD);

    const refused = [...(await repeat(3, () => logIn(stack, HERE, large))), ...(await repeat(3, () => send(large)))];
    const logins = await repeat(2, () => logIn(stack));
    const messages = await repeat(2, () => send(MESSAGE_JSON));

    expect(tally(refused.map((answer) => `${answer.status} ${refusalOf(answer).reason}`))).to.deep.equal({ "429 TOO_MANY_BODIES": 6 });
    expect([...logins, ...messages].map(({ status }) => status)).to.deep.equal([200, 429, 200, 429]);
  });

  it("takes nothing from the limit of all for its bytes", async () => {
    await using stack = await startLimited(
      { GATEWAY_LIMIT_ALL_LOGINS: "1/day burst 2", GATEWAY_LIMIT_ANONYMOUS_BYTES: "1/day burst 1000" },
      loginWorks,
    );

    // One of more bytes than the burst passes while nothing is taken.
    const first = await logIn(stack, HERE, large);
    const refused = await repeat(3, () => logIn(stack, HERE, large));
    const elsewhere = await logIn(stack, ELSEWHERE);

    expect(tally([first, ...refused].map(({ status }) => status))).to.deep.equal({ "200": 1, "429": 3 });
    expect(elsewhere.status).to.equal(200);
  });

  it("takes one when its body is refused for another reason", async () => {
    await using stack = await startLimited({ GATEWAY_LIMIT_LOGINS: "1/day burst 2" }, loginWorks);

    const answers = [await logIn(stack, HERE, "no JSON at all"), await logIn(stack, HERE, "[".repeat(101)), await logIn(stack)];

    expect(answers.map(({ status }) => status)).to.deep.equal([400, 400, 429]);
  });
});

describe("a gateway whose limits are lifted", () => {
  it("refuses nobody for being too fast", async () => {
    await using stack = await startLimited({ SALLYPORT_LIMITS: "off", GATEWAY_LIMIT_FRAMES: "1/day burst 1" }, loginWorks);
    using socket = await new TestSocket(stack.gateway.address).exchange();

    const logins = await repeat(30, () => logIn(stack));
    const ends = await repeat(125, () => present(stack, GARBAGE));
    const codes = await repeat(120, async () => {
      socket.call(1, SEND, MESSAGE);
      return (await socket.nextReply()).code;
    });

    expect(tally(logins.map(({ status }) => status))).to.deep.equal({ "200": 30 });
    expect(tally(ends)).to.deep.equal({ "4401": 125 });
    expect(tally(codes)).to.deep.equal({ "0": 120 });
  });
});
