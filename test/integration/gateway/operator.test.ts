import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { gatewayConfig } from "../../../gateway/config.ts";
import { startGateway } from "../../../gateway/server.ts";
import { ConfigError } from "../../../platform/env.ts";
import type { Logger } from "../../../platform/logger.ts";
import { FindAccountResponse } from "../../../proto/gen/sallyport/account/v1/admin.ts";
import { parseExposition, readValue } from "../../support/exposition.ts";
import { ACCOUNT, startFakeChat } from "./fake-services.ts";
import { type Stack, startStack, TestSocket } from "./harness.ts";
import { connectRaw, exchangeRaw } from "./raw-http.ts";

const ADMIN = "/sallyport.account.v1.AdminService";
const FIND = `${ADMIN}/FindAccount`;
const LOCK = `${ADMIN}/SetAccountLocked`;
const REPORT = "/sallyport.chat.v1.ModerationService/GetReport";
const BY_NAME = JSON.stringify({ devName: "alice" });
const REPORT_ID = JSON.stringify({ reportId: ACCOUNT });

const admin = { findAccount: () => ({ accountId: ACCOUNT, createdAt: new Date(0), locked: false, sessionCount: 2 }) };

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly reason: string | undefined;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function post(url: string, body: string, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(url, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
  const text = await response.text();
  const json = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
  const details = (json["details"] ?? []) as { type: string; debug: { reason: string } }[];
  const reason = details.find(({ type }) => type === "google.rpc.ErrorInfo")?.debug.reason;
  return { status: response.status, code: json["code"] as string | undefined, reason, headers: response.headers, body: json };
}

function operate(stack: Stack, path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  return post(`${stack.gateway.adminAddress}${path}`, body, { authorization: `Bearer ${stack.operatorToken}`, ...headers });
}

async function readMetrics(stack: Stack): Promise<ReturnType<typeof parseExposition>> {
  const response = await fetch(`${stack.gateway.adminAddress}/metrics`);
  expect([response.status, response.headers.get("content-type")]).to.deep.equal([200, "text/plain; version=0.0.4; charset=utf-8"]);
  return parseExposition(await response.text());
}

describe("the operator's listener", () => {
  it("says that the gateway lives and is ready", async () => {
    await using stack = await startStack();

    const [live, ready] = await Promise.all([fetch(`${stack.gateway.adminAddress}/livez`), fetch(`${stack.gateway.adminAddress}/readyz`)]);

    expect([live.status, ready.status]).to.deep.equal([200, 200]);
  });

  it("names the part that fails", async () => {
    await using stack = await startStack();
    stack.account.server.setHealth("database", false);
    await stack.chat[Symbol.asyncDispose]();

    const response = await fetch(`${stack.gateway.adminAddress}/readyz`);

    expect(response.status).to.equal(503);
    expect(await response.json()).to.deep.equal({ status: "not ready", failing: ["account database", "chat"] });
  });

  it("answers no page to a request whose end is in doubt, and ends its connection", async () => {
    await using stack = await startStack();

    for (const path of ["/livez", "/readyz", "/metrics"]) {
      const socket = await connectRaw(stack.gateway.adminAddress);
      const answer = await exchangeRaw(socket, `GET ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n`);

      expect(answer, path).to.match(/^HTTP\/1\.1 400 /);
    }
  });

  it("answers HEAD as GET, without the body", async () => {
    await using stack = await startStack();

    for (const path of ["/livez", "/readyz", "/metrics"]) {
      const [get, head] = await Promise.all(["GET", "HEAD"].map((method) => fetch(`${stack.gateway.adminAddress}${path}`, { method })));

      expect([head?.status, head?.headers.get("content-type")], path).to.deep.equal([200, get?.headers.get("content-type")]);
      expect(await head?.text()).to.equal("");
    }
  });

  it("has its pages and the methods for operators only, and no other port has any of them", async () => {
    await using stack = await startStack();
    const { address, adminAddress } = stack.gateway;
    const methods = ["account.v1.AccountService/Login", "account.v1.TokenService/ListRevocations", "relay.v1.MetricsService/ReadMetrics"];

    const answers = await Promise.all([
      ...methods.map((method) => operate(stack, `/sallyport.${method}`, "{}")),
      operate(stack, "/livez", ""),
      ...["/livez", "/readyz", "/metrics", FIND, REPORT].map((path) =>
        post(address + path, "{}", { authorization: `Bearer ${stack.operatorToken}` }),
      ),
      ...["/livez", "/readyz", "/metrics"].map(async (path) => ({ status: (await fetch(address + path)).status, code: "unimplemented" })),
      fetch(`${adminAddress}/connect/chat`).then(({ status }) => ({ status, code: "unimplemented" })),
    ]);

    expect(answers.map(({ status, code }) => `${status} ${code}`)).to.deep.equal(answers.map(() => "404 unimplemented"));
  });

  it("is nothing that a socket reaches: its methods are unknown there", async () => {
    await using stack = await startStack({ admin });
    using socket = await new TestSocket(stack.gateway.address, "/connect/account").exchange();

    socket.call(1, FIND, Buffer.from([0x12, 1, 0x61]));

    expect((await socket.nextReply()).code).to.equal(12);
  });
});

describe("operator calls", () => {
  it("are answered in proto3 JSON and in protobuf, and carry that an operator calls, nobody's account, and from where", async () => {
    await using stack = await startStack({ admin });
    const asked = once(stack.account.asked, "findAccount");

    const json = await operate(stack, FIND, BY_NAME);
    const binary = await fetch(stack.gateway.adminAddress + FIND, {
      method: "POST",
      body: new Uint8Array([0x12, 1, 0x61]),
      headers: { "content-type": "application/proto", authorization: `bearer ${stack.operatorToken}` },
    });

    const [request, call] = await asked;
    expect([json.status, json.body]).to.deep.equal([200, { accountId: ACCOUNT, createdAt: "1970-01-01T00:00:00Z", sessionCount: 2 }]);
    expect(FindAccountResponse.decode(new Uint8Array(await binary.arrayBuffer())).sessionCount).to.equal(2);
    expect(request.key).to.deep.equal({ $case: "devName", value: "alice" });
    expect([call.isOperator, call.caller, call.address]).to.deep.equal([true, undefined, "127.0.0.1"]);
  });

  it("are refused with 401 without the token, with another, with a client's access token, and with the token under another scheme", async () => {
    await using stack = await startStack({ admin });
    const token = stack.operatorToken;
    const wrong = [
      "",
      "Bearer",
      `Basic ${token}`,
      token,
      `Bearer ${token.slice(0, -1)}`,
      `Bearer ${token}A`,
      `Bearer ${token.toLowerCase()}`,
      `Bearer ${token} ${token}`,
      `Bearer ${Buffer.alloc(32, 9).toString("base64")}`,
    ];

    const answers = await Promise.all(wrong.map((authorization) => operate(stack, FIND, BY_NAME, { authorization })));

    expect(answers.map(({ status, code }) => `${status} ${code}`)).to.deep.equal(wrong.map(() => "401 unauthenticated"));
    expect(new Set(answers.map(({ reason }) => reason))).to.deep.equal(new Set(["CREDENTIAL_MISSING", "OPERATOR_TOKEN_REFUSED"]));
    expect(answers[0]?.headers.get("www-authenticate")).to.equal("Bearer");
    expect(JSON.stringify(answers.map(({ body }) => body))).to.not.include(token);
  });

  for (const [title, path, body, headers, status, reason] of [
    ["an unknown path before all else", "/x.Y/Z", "{", { authorization: "", "content-type": "text/plain" }, 404, undefined],
    ["the content type before the token", FIND, "{", { authorization: "", "content-type": "text/plain" }, 415, undefined],
    ["no token before a malformed body", FIND, "{", { authorization: "" }, 401, "CREDENTIAL_MISSING"],
    ["a wrong token before a malformed body", FIND, "{", { authorization: `Bearer ${"x".repeat(43)}` }, 401, "OPERATOR_TOKEN_REFUSED"],
    ["a malformed body", FIND, "{", {}, 400, "MALFORMED_REQUEST"],
    ["a violated rule", LOCK, '{"accountId":"x"}', {}, 400, "FIELD_RULE_VIOLATED"],
  ] as const) {
    it(`refuse ${title}: ${status}`, async () => {
      await using stack = await startStack({ admin: { ...admin, setAccountLocked: () => ({}) } });

      const answer = await operate(stack, path, body, headers);

      expect([answer.status, answer.reason]).to.deep.equal([status, reason]);
    });
  }

  it("answer with a report of 8 MiB, in JSON as well", async () => {
    const messages = Array.from({ length: 128 }, () => ({
      ...{ messageId: ACCOUNT, senderAccountId: ACCOUNT, recipientAccountId: ACCOUNT },
      ...{ sentAt: new Date(0), body: Buffer.alloc(65_536, 1), unreadable: false },
    }));
    const report = {
      reportId: ACCOUNT,
      reporterAccountId: ACCOUNT,
      reason: "",
      createdAt: new Date(0),
      state: 1,
      resolution: 0,
      messageCount: 128,
    };
    const getReport = () => ({ report: report as never, messages, reportedAccounts: [], note: "" });
    await using stack = await startStack({ moderation: { getReport } });

    const { status, body } = await operate(stack, REPORT, REPORT_ID);

    expect(status).to.equal(200);
    expect((body["messages"] as unknown[]).length).to.equal(128);
  });

  it("go to a copy that is there while another is not", async () => {
    await using gone = await startFakeChat();
    await using stack = await startStack(
      { moderation: { listReports: () => ({ reports: [], nextPageToken: "" }) } },
      {},
      {},
      { moreChats: [gone] },
    );
    await gone[Symbol.asyncDispose]();

    const statuses = new Set<number>();
    while (!statuses.has(200)) {
      statuses.add((await operate(stack, "/sallyport.chat.v1.ModerationService/ListReports", "{}")).status);
    }

    expect([...statuses].every((status) => status === 200 || status === 503)).to.equal(true);
  });

  it("are taken with the token of a file, and with the new one once the file has changed", async () => {
    const directory = await mkdtemp(join(tmpdir(), "sallyport-token-"));
    const file = join(directory, "token");
    const [old, fresh] = ["o".repeat(40), "f".repeat(40)];
    await writeFile(file, `${old}\n`);
    await using stack = await startStack({ admin }, { GATEWAY_OPERATOR_TOKEN_FILE: file });
    const statusWith = async (token: string): Promise<number> =>
      (await operate(stack, FIND, BY_NAME, { authorization: `Bearer ${token}` })).status;
    const before = [await statusWith(old), await statusWith(fresh)];

    await writeFile(file, fresh);
    while ((await statusWith(fresh)) !== 200) {
      await new Promise(setImmediate);
    }

    const after = await statusWith(old);
    await rm(directory, { recursive: true });
    expect([before, after]).to.deep.equal([[200, 401], 401]);
  });

  it("are not served by a gateway that finds no token in its file: it does not start, and names the variable", async () => {
    const config = gatewayConfig({ GATEWAY_PORT: "0", GATEWAY_ADMIN_PORT: "0", GATEWAY_OPERATOR_TOKEN_FILE: "/nowhere/token" });
    const silent = new Proxy({}, { get: () => () => undefined }) as Logger;

    const error = await startGateway(config, silent).catch((thrown: unknown) => thrown);

    expect(error).to.be.instanceOf(ConfigError);
    expect((error as ConfigError).message).to.include("GATEWAY_OPERATOR_TOKEN_FILE");
  });

  it("are logged with method and address, and those with a wrong token as a warning, never with what was shown", async () => {
    const lines: string[] = [];
    const write = (level: string) => (fields: object, message: string) => lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    const logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") } as unknown as Logger;
    await using stack = await startStack({ admin }, {}, {}, { logger });

    await operate(stack, FIND, BY_NAME);
    await operate(stack, FIND, BY_NAME, { authorization: `Bearer ${"wrong-".repeat(8)}` });

    expect(lines).to.include(`info operator called ${JSON.stringify({ method: FIND, address: "127.0.0.1" })}`);
    expect(lines).to.include(`warn operator token refused ${JSON.stringify({ address: "127.0.0.1" })}`);
    expect(lines.join("\n")).to.not.match(new RegExp(`${stack.operatorToken}|wrong-|alice`));
  });

  it("leave a warning in the log of a gateway whose operator's listener others than this machine reach", async () => {
    const warnings: string[] = [];
    const warn = (_fields: object, message: string): void => void warnings.push(message);
    const logger = new Proxy({ warn }, { get: (target, name) => (name === "warn" ? target.warn : () => undefined) }) as unknown as Logger;

    await using _stack = await startStack({}, { GATEWAY_ADMIN_HOST: "0.0.0.0" }, {}, { logger });

    expect(warnings).to.deep.equal(["operator calls travel in the clear unless something in front speaks TLS"]);
  });
});

describe("the metrics of a gateway", () => {
  it("are one exposition of its own and of every copy that answers; a copy that does not is said to be down", async () => {
    await using gone = await startFakeChat();
    await using stack = await startStack({}, {}, {}, { moreChats: [gone] });
    for (const { metrics } of [stack.account, stack.chat]) {
      metrics.counter("things_total", "Things.").add(metrics === stack.account.metrics ? 1 : 2);
    }
    await gone[Symbol.asyncDispose]();

    const families = await readMetrics(stack);

    expect(readValue(families, "things_total", { role: "account", copy: stack.account.address })).to.equal(1);
    expect(readValue(families, "things_total", { role: "chat", copy: stack.chat.address })).to.equal(2);
    expect(families.get("sallyport_scrape_up")?.samples.map(({ labels, value }) => [labels["role"], labels["copy"], value])).to.deep.equal([
      ["account", stack.account.address, 1],
      ["chat", stack.chat.address, 1],
      ["chat", gone.address, 0],
    ]);
  });

  it("leave out a copy that is connected and does not answer within a second", async () => {
    await using stack = await startStack();
    stack.chat.metrics.read = () => new Promise(() => undefined);

    const families = await readMetrics(stack);

    expect(readValue(families, "sallyport_scrape_up", { role: "chat" })).to.equal(0);
    expect(readValue(families, "sallyport_scrape_up", { role: "account" })).to.equal(1);
  });

  it("count sockets, exchanges and their ends, calls by method and outcome, events and acknowledgements", async () => {
    await using stack = await startStack();
    using open = await new TestSocket(stack.gateway.address).exchange();
    using refused = await new TestSocket(stack.gateway.address).opened();
    refused.ws.send(Buffer.alloc(1024, 1));
    await refused.closed;
    open.call(1, "/sallyport.chat.v1.ChatService/ListBlockedAccounts");
    open.call(2, "/sallyport.chat.v1.ChatService/Nothing");
    await open.nextReply();
    await open.nextReply();
    open.send({ $case: "ack", value: { messageIds: [ACCOUNT] } });
    await once(stack.chat.asked, "acknowledge");
    await post(`${stack.gateway.address}/sallyport.account.v1.AccountService/GetAccount`, "{}", {});

    const families = await readMetrics(stack);

    const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
      readValue(families, name, { role: "gateway", ...labels });
    expect({
      open: value("sallyport_sockets"),
      opened: value("sallyport_sockets_opened_total"),
      closed: value("sallyport_sockets_closed_total", { code: "4401" }),
      completed: value("sallyport_exchanges_total", { outcome: "completed" }),
      refused: value("sallyport_exchanges_total", { outcome: "refused" }),
      listed: value("sallyport_calls_total", { via: "socket", method: "/sallyport.chat.v1.ChatService/ListBlockedAccounts", status: "OK" }),
      unknown: value("sallyport_calls_total", { via: "socket", method: "unknown", status: "UNIMPLEMENTED" }),
      unauthenticated: value("sallyport_calls_total", { via: "http", status: "UNAUTHENTICATED" }),
      timed: value("sallyport_calls_duration_seconds_count", { method: "/sallyport.chat.v1.ChatService/ListBlockedAccounts" }),
      acks: value("sallyport_acks_total"),
      accountRelays: value("sallyport_relays_connected", { service: "account" }),
      chatRelays: value("sallyport_relays_connected", { service: "chat" }),
    }).to.deep.equal({
      ...{ open: 1, opened: 2, closed: 1, completed: 1, refused: 1, listed: 1, unknown: 1, unauthenticated: 1, timed: 1, acks: 1 },
      ...{ accountRelays: 1, chatRelays: 1 },
    });
  });

  it("count the operator's calls and the wrong tokens", async () => {
    await using stack = await startStack({ admin });
    await operate(stack, FIND, BY_NAME);
    await operate(stack, FIND, BY_NAME, { authorization: "Bearer x" });

    const families = await readMetrics(stack);

    expect(readValue(families, "sallyport_operator_calls_total")).to.equal(1);
    expect(readValue(families, "sallyport_operator_refusals_total")).to.equal(1);
  });

  it("survive a reader that leaves before the answer", async () => {
    await using stack = await startStack();
    const { hostname, port } = new URL(stack.gateway.adminAddress);
    for (let reader = 0; reader < 20; reader += 1) {
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", () => socket.destroy());
      await once(socket, "close");
    }

    expect((await fetch(`${stack.gateway.adminAddress}/livez`)).status).to.equal(200);
  });
});
