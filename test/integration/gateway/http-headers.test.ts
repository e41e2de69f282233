import { once } from "node:events";
import { expect } from "chai";
import { type Stack, startStack, TestSocket } from "./harness.ts";

const LOGIN = "/sallyport.account.v1.AccountService/Login";
const LIST = "/sallyport.chat.v1.ChatService/ListBlockedAccounts";
const GOOD = `Bearer ${Buffer.alloc(32, 9).toString("base64")}`;
const SAFE = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

type HeaderValues = Readonly<Record<string, string | string[] | undefined>>;

async function ask(stack: Stack, path: string, init: RequestInit): Promise<[status: number, HeaderValues]> {
  const { status, headers } = await fetch(`${stack.gateway.address}${path}`, init);
  return [status, Object.fromEntries(headers)];
}

async function refusedUpgrade(stack: Stack, path: string, headers: Record<string, string> = {}): Promise<[status: number, HeaderValues]> {
  using socket = new TestSocket(stack.gateway.address, path, { headers });
  const [, response] = await once(socket.ws, "unexpected-response");
  return [response.statusCode, response.headers];
}

async function everyKindOfAnswer(stack: Stack): Promise<[status: number, HeaderValues][]> {
  const json = { "content-type": "application/json" };
  return Promise.all([
    ask(stack, LIST, { method: "POST", headers: { ...json, authorization: GOOD }, body: "{}" }),
    ask(stack, LOGIN, { method: "POST", headers: json, body: "{" }),
    ask(stack, LIST, { method: "POST", headers: json, body: "{}" }),
    ask(stack, "/", {}),
    ask(stack, LOGIN, {}),
    ask(stack, LOGIN, { method: "OPTIONS", headers: { origin: "https://a.example", "access-control-request-method": "POST" } }),
    ask(stack, LOGIN, { method: "POST", headers: { "content-type": "text/plain" }, body: "" }),
    refusedUpgrade(stack, "/connect/nothing"),
    refusedUpgrade(stack, "/connect/chat", { origin: "https://evil.example" }),
  ]);
}

describe("the headers of an answer", () => {
  it("tell browsers to keep nothing and to run nothing, whatever the answer is", async () => {
    await using stack = await startStack();

    const answers = await everyKindOfAnswer(stack);

    expect(answers.map(([status]) => status)).to.deep.equal([200, 400, 401, 404, 405, 405, 415, 404, 403]);
    for (const [, headers] of answers) {
      expect(headers).to.include(SAFE);
    }
  });

  it("do not name the library, and let no other site read the answer", async () => {
    await using stack = await startStack();

    for (const [, headers] of await everyKindOfAnswer(stack)) {
      expect(headers).to.not.have.any.keys("server", "uwebsockets");
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).to.deep.equal([]);
    }
  });

  it("speak of TLS only where clients speak it", async () => {
    await using plain = await startStack();
    await using proxied = await startStack({}, { GATEWAY_TLS: "terminated-by-proxy" });

    const [without, within] = await Promise.all([everyKindOfAnswer(plain), everyKindOfAnswer(proxied)]);

    expect(without.map(([, headers]) => headers["strict-transport-security"])).to.deep.equal(without.map(() => undefined));
    expect(within.map(([, headers]) => headers["strict-transport-security"])).to.deep.equal(within.map(() => "max-age=31536000"));
  });
});
