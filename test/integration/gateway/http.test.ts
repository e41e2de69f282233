import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { GetAccountResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import { ACCOUNT, SESSION } from "./fake-services.ts";
import { type Stack, startStack } from "./harness.ts";

const GET_ACCOUNT = "/sallyport.account.v1.AccountService/GetAccount";
const LOGIN = "/sallyport.account.v1.AccountService/Login";
const SEND = "/sallyport.chat.v1.ChatService/SendMessage";
const LIST = "/sallyport.chat.v1.ChatService/ListBlockedAccounts";
const GOOD = `Bearer ${Buffer.alloc(32, 9).toString("base64")}`;
const REFUSED = `Bearer ${Buffer.alloc(32, 0).toString("base64")}`;
const OF_OTHER = `Bearer ${Buffer.alloc(32, 1).toString("base64")}`;

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly reason: string | undefined;
  readonly body: Record<string, unknown>;
}

async function post(stack: Stack, path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${stack.gateway.address}${path}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", authorization: GOOD, ...headers },
  });
  const text = await response.text();
  const json = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
  const details = (json["details"] ?? []) as { type: string; debug: { reason: string; domain: string } }[];
  const info = details.find(({ type }) => type === "google.rpc.ErrorInfo")?.debug;
  return { status: response.status, code: json["code"] as string | undefined, reason: info?.reason, body: json };
}

describe("calls over HTTP", () => {
  it("answers in proto3 JSON", async () => {
    await using stack = await startStack();

    const { status, body } = await post(stack, GET_ACCOUNT, '{"unknown":1}', { "connect-protocol-version": "1" });

    expect([status, body]).to.deep.equal([200, { accountId: ACCOUNT, createdAt: "1970-01-01T00:00:00Z" }]);
  });

  it("answers in protobuf", async () => {
    await using stack = await startStack();

    const response = await fetch(`${stack.gateway.address}${GET_ACCOUNT}`, {
      method: "POST",
      body: new Uint8Array(0),
      headers: { "content-type": "application/proto", authorization: GOOD },
    });

    expect(response.headers.get("content-type")).to.equal("application/proto");
    expect(GetAccountResponse.decode(new Uint8Array(await response.arrayBuffer())).accountId).to.equal(ACCOUNT);
  });

  it("carries who calls and from where", async () => {
    await using stack = await startStack();
    const asked = once(stack.chat.asked, "listBlockedAccounts");
    const checked = once(stack.account.asked, "checkAccessToken");

    await post(stack, LIST, "{}");

    const [, call] = await asked;
    const [check] = await checked;
    expect(call.caller).to.deep.equal({ accountId: ACCOUNT, sessionId: SESSION, service: "chat" });
    expect(call.address).to.equal("127.0.0.1");
    expect([check.service, check.address]).to.deep.equal(["chat", "127.0.0.1"]);
  });

  for (const [title, path, body, headers, status, code, reason] of [
    ["an unknown path before all else", "/x.Y/Z", "{", { "content-type": "text/plain" }, 404, "unimplemented", undefined],
    ["an internal method", "/sallyport.account.v1.TokenService/CheckAccessToken", "{}", {}, 404, "unimplemented", undefined],
    ["a relay method", "/sallyport.relay.v1.LeaseService/EndLease", "{}", {}, 404, "unimplemented", undefined],
    ["gRPC-Web", GET_ACCOUNT, "", { "content-type": "application/grpc-web+proto" }, 415, undefined, undefined],
    [
      "another content type before the token",
      GET_ACCOUNT,
      "{",
      { "content-type": "text/plain", authorization: "" },
      415,
      undefined,
      undefined,
    ],
    ["no token before a malformed body", GET_ACCOUNT, "{", { authorization: "" }, 401, "unauthenticated", "CREDENTIAL_MISSING"],
    ["another scheme", GET_ACCOUNT, "{}", { authorization: "Basic YTpi" }, 401, "unauthenticated", "CREDENTIAL_MISSING"],
    ["a token without padding", GET_ACCOUNT, "{}", { authorization: GOOD.replace("=", "") }, 401, "unauthenticated", "CREDENTIAL_MISSING"],
    [
      "a token of 31 bytes",
      GET_ACCOUNT,
      "{}",
      { authorization: `Bearer ${Buffer.alloc(31).toString("base64")}` },
      401,
      "unauthenticated",
      "CREDENTIAL_MISSING",
    ],
    [
      "a refused token before a malformed body",
      GET_ACCOUNT,
      "{",
      { authorization: REFUSED },
      401,
      "unauthenticated",
      "ACCESS_TOKEN_REFUSED",
    ],
    [
      "a token of another service before a malformed body",
      GET_ACCOUNT,
      "{",
      { authorization: OF_OTHER },
      403,
      "permission_denied",
      "CREDENTIAL_OF_OTHER_SERVICE",
    ],
    ["a malformed body", GET_ACCOUNT, "{", {}, 400, "invalid_argument", "MALFORMED_REQUEST"],
    ["an empty body", GET_ACCOUNT, "", {}, 400, "invalid_argument", "MALFORMED_REQUEST"],
    ["a value of the wrong type", SEND, '{"clientMessageId":5}', {}, 400, "invalid_argument", "MALFORMED_REQUEST"],
    ["malformed protobuf", SEND, "\u00ff\u00ff", { "content-type": "application/proto" }, 400, "invalid_argument", "MALFORMED_REQUEST"],
    ["a violated rule", SEND, "{}", {}, 400, "invalid_argument", "FIELD_RULE_VIOLATED"],
    ["a malformed timeout", GET_ACCOUNT, "{}", { "connect-timeout-ms": "soon" }, 400, "invalid_argument", "MALFORMED_REQUEST"],
    ["an expired timeout", GET_ACCOUNT, "{}", { "connect-timeout-ms": "0" }, 504, "deadline_exceeded", "DEADLINE_EXCEEDED"],
  ] as const) {
    it(`answers ${status} to ${title}`, async () => {
      await using stack = await startStack();

      const answer = await post(stack, path, body, headers);

      expect([answer.status, answer.code, answer.reason]).to.deep.equal([status, code, reason]);
    });
  }

  it("names the field whose rule is violated", async () => {
    await using stack = await startStack();

    const { body } = await post(stack, SEND, "{}");

    const details = body["details"] as { type: string; debug: { fieldViolations: { field: string }[] } }[];
    const bad = details.find(({ type }) => type === "google.rpc.BadRequest");
    expect(bad?.debug.fieldViolations.map(({ field }) => field)).to.include("recipientAccountId");
  });

  for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
    it(`answers 405 to ${method} and names what it takes`, async () => {
      await using stack = await startStack();

      const response = await fetch(`${stack.gateway.address}${GET_ACCOUNT}`, { method });

      expect([response.status, response.headers.get("allow")]).to.deep.equal([405, "POST"]);
    });
  }

  it("takes bodies of 8 MiB, and answers resource_exhausted beyond", async () => {
    await using stack = await startStack();
    const padded = (bytes: number): string => `{"unknown":"${"x".repeat(bytes - 14)}"}`;

    const fits = await post(stack, GET_ACCOUNT, padded(8 * 1024 * 1024));
    const beyond = await post(stack, GET_ACCOUNT, padded(8 * 1024 * 1024 + 1));

    expect(fits.status).to.equal(200);
    expect([beyond.status, beyond.code, beyond.reason]).to.deep.equal([429, "resource_exhausted", "MESSAGE_TOO_LARGE"]);
  });

  it("lets the hanging bodies of anonymous callers keep nobody out who shows a token", async () => {
    await using stack = await startStack({}, {}, { bodyRoomBytes: 50_000 });
    const port = Number(new URL(stack.gateway.address).port);
    const head = `POST ${LOGIN} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`;
    const hanging = connect(port, "127.0.0.1");
    hanging.write(`${head}content-length: 49000\r\n\r\n${"x".repeat(48_000)}`);
    const padded = `{"unknown":"${"x".repeat(20_000)}"}`;

    let anonymous = await post(stack, LOGIN, padded, { authorization: "" });
    while (anonymous.reason !== "TOO_MANY_BODIES") {
      anonymous = await post(stack, LOGIN, padded, { authorization: "" });
    }
    const identified = await post(stack, GET_ACCOUNT, padded);
    hanging.destroy();

    expect(identified.status).to.equal(200);
  });

  it("refuses JSON that is no UTF-8 instead of reading other names into it", async () => {
    await using stack = await startStack();

    const invalid = await fetch(`${stack.gateway.address}${LOGIN}`, {
      method: "POST",
      headers: { "content-type": "Application/JSON" },
      body: Buffer.concat([Buffer.from('{"dev":{"name":"k'), Buffer.from([0xff]), Buffer.from('"}}')]),
    });
    const cut = await fetch(`${stack.gateway.address}${GET_ACCOUNT}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: GOOD },
      body: Buffer.concat([Buffer.from("{}"), Buffer.from([0xc3])]),
    });

    expect([invalid.status, cut.status]).to.deep.equal([400, 400]);
    expect(await invalid.json()).to.include({ code: "invalid_argument" });
  });

  for (const [title, type, body] of [
    ["JSON of 50,002 values", "application/json", `{"unknown":[${"1,".repeat(49_999)}1]}`],
    ["JSON whose values nest deeper than 100", "application/json", `{"unknown":${"[".repeat(100)}`],
    ["8 MB of nesting", "application/json", `{"unknown":${"[".repeat(8_000_000)}`],
    ["50,001 fields", "application/proto", "\x78\x01".repeat(50_001)],
    [
      "50,001 fields in a message",
      "application/proto",
      Buffer.concat([Buffer.from([0x0a, 0xa0, 0x8d, 0x06]), Buffer.alloc(100_000, "\x78\x01")]),
    ],
    ["groups that nest deeper than 100", "application/proto", "\x7b".repeat(101)],
  ] as const) {
    it(`refuses ${title}, and does not parse it`, async () => {
      await using stack = await startStack();
      let logins = 0;
      stack.account.asked.on("login", () => {
        logins += 1;
      });

      const response = await fetch(`${stack.gateway.address}${LOGIN}`, { method: "POST", headers: { "content-type": type }, body });
      const { code, details } = (await response.json()) as { code: string; details: { debug: { reason: string } }[] };

      expect([response.status, code, details[0]?.debug.reason]).to.deep.equal([400, "invalid_argument", "REQUEST_TOO_COMPLEX"]);
      expect(logins).to.equal(0);
    });
  }

  it("reads 50,000 values, nested 100 deep, and 8 MB of one unknown value", async () => {
    await using stack = await startStack();
    const deep = `{"unknown":${"[".repeat(99)}${"]".repeat(99)}}`;
    const wide = `{"unknown":[${"1,".repeat(49_998)}1]}`;
    const fields = "\x78\x01".repeat(50_000);

    const answers = [
      await post(stack, GET_ACCOUNT, deep),
      await post(stack, GET_ACCOUNT, wide),
      await post(stack, GET_ACCOUNT, `{"unknown":"${"[,".repeat(4_000_000)}"}`),
      await post(stack, GET_ACCOUNT, fields, { "content-type": "application/proto" }),
    ];

    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200]);
  });

  it("answers resource_exhausted, with when to come again, while the bodies of others take all room", async () => {
    await using stack = await startStack({}, {}, { bodyRoomBytes: 50_000 });
    const checked = once(stack.account.asked, "checkAccessToken");
    const hanging = connect(Number(new URL(stack.gateway.address).port), "127.0.0.1");
    const head = `POST ${GET_ACCOUNT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: ${GOOD}\r\n`;
    hanging.write(`${head}content-length: 45000\r\n\r\n${"x".repeat(40_000)}`);
    await checked;
    const padded = `{"unknown":"${"x".repeat(20_000)}"}`;

    const refused = await post(stack, GET_ACCOUNT, padded);
    hanging.destroy();
    let answer = await post(stack, GET_ACCOUNT, padded);
    for (let turn = 0; turn < 100 && answer.status === 429; turn += 1) {
      answer = await post(stack, GET_ACCOUNT, padded);
    }

    expect([refused.status, refused.code, refused.reason]).to.deep.equal([429, "resource_exhausted", "TOO_MANY_BODIES"]);
    expect((refused.body["details"] as { type: string }[]).map(({ type }) => type)).to.include("google.rpc.RetryInfo");
    expect(answer.status).to.equal(200);
  });

  it("does not hand on what came of a body whose client went away", async () => {
    await using stack = await startStack({}, { GATEWAY_DRAIN_MS: "10000" });
    let asked = 0;
    stack.account.asked.on("getAccount", () => {
      asked += 1;
    });
    const checked = once(stack.account.asked, "checkAccessToken");
    const leaving = connect(Number(new URL(stack.gateway.address).port), "127.0.0.1");
    const head = `POST ${GET_ACCOUNT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: ${GOOD}\r\n`;
    leaving.write(`${head}content-length: 10\r\n\r\n{}`);
    await checked;

    leaving.destroy();
    const startedAt = Date.now();
    await stack.gateway[Symbol.asyncDispose]();

    expect(asked).to.equal(0);
    expect(Date.now() - startedAt).to.be.below(5_000);
  });

  it("refuses a large body without a token, and the client hears it", async () => {
    await using stack = await startStack();

    const { status, reason } = await post(stack, GET_ACCOUNT, "x".repeat(8_000_000), { authorization: "" });

    expect([status, reason]).to.deep.equal([401, "CREDENTIAL_MISSING"]);
  });

  it("answers unavailable, not a refusal, while nobody can be asked", async () => {
    await using stack = await startStack();
    await stack.account[Symbol.asyncDispose]();

    const { status, code, reason } = await post(stack, LIST, "{}");

    expect([status, code, reason]).to.deep.equal([503, "unavailable", "CHECK_UNAVAILABLE"]);
  });

  it("answers unavailable while the service is away", async () => {
    await using stack = await startStack();
    await stack.chat[Symbol.asyncDispose]();

    const { status, code } = await post(stack, LIST, "{}");

    expect([status, code]).to.deep.equal([503, "unavailable"]);
  });

  it("cancels the call of a client that goes away", async () => {
    let abort: () => void = () => undefined;
    const cancelled = new Promise<void>((resolve) => {
      abort = resolve;
    });
    await using stack = await startStack({
      chat: {
        listBlockedAccounts: (_request, { signal }) => {
          signal.addEventListener("abort", () => abort());
          return new Promise<never>(() => undefined);
        },
      },
    });
    const asked = once(stack.chat.asked, "listBlockedAccounts");
    const leaving = new AbortController();
    const call = fetch(`${stack.gateway.address}${LIST}`, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json", authorization: GOOD },
      signal: leaving.signal,
    }).catch(() => "gone");
    await asked;

    leaving.abort();

    expect(await call).to.equal("gone");
    await cancelled;
  });

  it("asks once for a token that is used again at once", async () => {
    await using stack = await startStack();
    let checks = 0;
    stack.account.asked.on("checkAccessToken", () => {
      checks += 1;
    });

    await Promise.all([post(stack, LIST, "{}"), post(stack, LIST, "{}")]);
    await post(stack, LIST, "{}");

    expect(checks).to.equal(1);
  });

  it("refuses a PROXY preamble", async () => {
    await using stack = await startStack();
    const { port } = new URL(stack.gateway.address);
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");

    socket.write(`PROXY TCP4 10.0.0.1 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n`);
    const [answer] = await once(socket, "data");
    socket.destroy();

    expect(String(answer)).to.match(/^HTTP\/1\.1 (400|505)/);
  });
});
