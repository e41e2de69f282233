import { once } from "node:events";
import { expect } from "chai";
import type { Logger } from "../../../platform/logger.ts";
import { CertificateFiles } from "../../support/certificate-files.ts";
import { GOOD_TOKEN } from "./fake-services.ts";
import { type Stack, startStack, TestSocket } from "./harness.ts";
import { connectRaw, exchangeRaw } from "./raw-http.ts";

const LOGIN = "/sallyport.account.v1.AccountService/Login";
const LIST = "/sallyport.chat.v1.ChatService/ListBlockedAccounts";
const GOOD = `Bearer ${Buffer.alloc(32, 9).toString("base64")}`;
const TRUSTING = { GATEWAY_TRUSTED_PROXIES: "127.0.0.0/8, 10.0.0.0/8" };

/** What the account service is told of where a login comes from. */
async function loginFrom(stack: Stack, ...lines: readonly string[]): Promise<string> {
  const asked = once(stack.account.asked, "login");
  const answered = exchangeRaw(await connectRaw(stack.gateway.address), loginRequest(lines));
  const [, call] = await asked;
  await answered;
  return call.address;
}

function loginRequest(forwardedFor: readonly string[]): string {
  const lines = forwardedFor.map((value) => `X-Forwarded-For: ${value}`);
  const head = [
    `POST ${LOGIN} HTTP/1.1`,
    "Host: localhost",
    "Connection: close",
    "Content-Type: application/json",
    "Content-Length: 22",
    ...lines,
  ];
  return `${head.join("\r\n")}\r\n\r\n{"dev":{"name":"ali"}}`;
}

async function post(stack: Stack, path: string, forwardedFor: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${stack.gateway.address}${path}`, {
    method: "POST",
    body: "{}",
    headers: { "content-type": "application/json", authorization: GOOD, "x-forwarded-for": forwardedFor, ...headers },
  });
}

async function refusedUpgrade(stack: Stack, path: string, headers: Record<string, string>): Promise<number> {
  using socket = new TestSocket(stack.gateway.address, path, { headers });
  const [, response] = await once(socket.ws, "unexpected-response");
  return response.statusCode;
}

describe("a call's client behind proxies", () => {
  it("has the address that a trusted proxy names, all lines read as one list", async () => {
    await using stack = await startStack({}, TRUSTING);

    expect(await loginFrom(stack, "198.51.100.7")).to.equal("198.51.100.7");
    expect(await loginFrom(stack, "x, 203.0.113.1", "198.51.100.7", "10.0.0.2, 10.0.0.3")).to.equal("198.51.100.7");
    expect(await loginFrom(stack, "::ffff:198.51.100.7")).to.equal("198.51.100.7");
    expect(await loginFrom(stack, "[2001:DB8::7]:4711")).to.equal("2001:db8::7");
  });

  it("has the peer's address when the proxy names nobody", async () => {
    await using stack = await startStack({}, TRUSTING);

    expect(await loginFrom(stack)).to.equal("127.0.0.1");
  });

  it("has the peer's address when nobody trusts the peer, whatever it sends", async () => {
    await using stack = await startStack({}, { GATEWAY_TRUSTED_PROXIES: "10.0.0.0/8" });
    await using trustless = await startStack();

    expect(await loginFrom(stack, "10.0.0.1")).to.equal("127.0.0.1");
    expect(await loginFrom(stack, "nonsense", "")).to.equal("127.0.0.1");
    expect(await loginFrom(trustless, "198.51.100.7")).to.equal("127.0.0.1");
  });

  it("is held to its token at the address that the proxy names", async () => {
    await using stack = await startStack({}, TRUSTING);
    const checked = once(stack.account.asked, "checkAccessToken");

    await post(stack, LIST, "198.51.100.7");

    const [check] = await checked;
    expect(check.address).to.equal("198.51.100.7");
  });

  for (const value of ["", "unknown", "198.51.100.7, ", "198.51.100.7, fe80::1%lo"]) {
    it(`is refused with 400 and a reason when the proxy says ${JSON.stringify(value)}`, async () => {
      await using stack = await startStack({}, TRUSTING);

      const response = await post(stack, LOGIN, value, { authorization: "" });

      const { code, details } = (await response.json()) as { code: string; details: { type: string; debug: object }[] };
      expect([response.status, code]).to.deep.equal([400, "invalid_argument"]);
      expect(details.map(({ type, debug }) => [type, debug])).to.deep.equal([
        ["google.rpc.ErrorInfo", { reason: "CLIENT_ADDRESS_UNREADABLE", domain: "sallyport" }],
      ]);
    });
  }

  it("is judged after path, method and content type, and before the token", async () => {
    await using stack = await startStack({}, TRUSTING);

    const statuses = await Promise.all([
      post(stack, "/x.Y/Z", "?"),
      fetch(`${stack.gateway.address}${LIST}`, { headers: { "x-forwarded-for": "?" } }),
      post(stack, LIST, "?", { "content-type": "text/plain" }),
      post(stack, LIST, "?", { authorization: "" }),
      post(stack, LIST, "198.51.100.7", { authorization: "" }),
    ]);

    expect(statuses.map(({ status }) => status)).to.deep.equal([404, 405, 415, 400, 401]);
  });
});

describe("a socket's client behind proxies", () => {
  it("exchanges and calls from the address that a trusted proxy names", async () => {
    await using stack = await startStack({}, TRUSTING);
    const presented = once(stack.account.asked, "presentRefreshToken");
    const asked = once(stack.chat.asked, "listBlockedAccounts");
    using socket = new TestSocket(stack.gateway.address, "/connect/chat", { headers: { "x-forwarded-for": "198.51.100.7, 10.0.0.1" } });

    await socket.exchange();
    socket.call(1, LIST);

    const [request] = await presented;
    const [, call] = await asked;
    expect([request.address, call.address]).to.deep.equal(["198.51.100.7", "198.51.100.7"]);
  });

  it("is refused with 400 when its address cannot be read: after an unknown path, before a foreign origin", async () => {
    await using stack = await startStack({}, TRUSTING);
    const headers = { "x-forwarded-for": "198.51.100.7,", origin: "https://evil.example" };

    const statuses = [
      await refusedUpgrade(stack, "/connect/nothing", headers),
      await refusedUpgrade(stack, "/connect/chat", headers),
      await refusedUpgrade(stack, "/connect/chat", { ...headers, "x-forwarded-for": "198.51.100.7" }),
    ];

    expect(statuses).to.deep.equal([404, 400, 403]);
  });
});

describe("a browser behind a proxy that speaks TLS", () => {
  it("is admitted from the https page of the same host alone", async () => {
    await using stack = await startStack({}, { GATEWAY_TLS: "terminated-by-proxy" });
    const headers = { host: "chat.example" };

    using socket = new TestSocket(stack.gateway.address, "/connect/chat", { headers: { ...headers, origin: "https://chat.example" } });
    await socket.opened();
    const statuses = await Promise.all(
      ["http://chat.example", "https://chat.example:8443", "https://evil.example", "null"].map(async (origin) =>
        refusedUpgrade(stack, "/connect/chat", { ...headers, origin }),
      ),
    );

    expect(statuses).to.deep.equal([403, 403, 403, 403]);
  });
});

describe("a PROXY preamble", () => {
  const address = [203, 0, 113, 9];
  const ports = [0x10, 0x00, 0x20, 0x00];
  const version1 = Buffer.from("PROXY TCP4 203.0.113.9 203.0.113.10 4096 8192\r\n");
  const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
  const version2 = Buffer.concat([signature, Buffer.from([0x21, 0x11, 0, 12, ...address, 203, 0, 113, 10, ...ports])]);

  for (const [title, preamble] of [
    ["version 1", version1],
    ["version 2", version2],
  ] as const) {
    for (const isSecure of [false, true]) {
      it(`of ${title} is never believed, ${isSecure ? "inside TLS" : "without TLS"}, not even from a trusted proxy`, async () => {
        await using files = await CertificateFiles.create();
        await using stack = await startStack({}, { ...TRUSTING, ...(isSecure ? files.env : {}) });
        const addresses: string[] = [];
        stack.account.asked.on("login", (_request, call) => addresses.push(call.address));
        const ca = isSecure ? files.authority.cert : undefined;

        const answer = await exchangeRaw(
          await connectRaw(stack.gateway.address, ca),
          Buffer.concat([preamble, Buffer.from(loginRequest([]))]),
        );

        // The fake service answers logins with 501.
        const isServed = answer.startsWith("HTTP/1.1 501");
        expect(answer).to.match(/^HTTP\/1\.1 (501|505)/);
        expect(addresses).to.deep.equal(isServed ? ["127.0.0.1"] : []);
      });
    }
  }

  it("before the TLS handshake is no handshake", async () => {
    await using files = await CertificateFiles.create();
    await using stack = await startStack({}, { ...TRUSTING, ...files.env });

    const answers = await Promise.all(
      [version1, version2].map(async (preamble) => exchangeRaw(await connectRaw(stack.gateway.address), preamble)),
    );

    // 22 would be the content type of a ServerHello (RFC 8446 section 5.1).
    expect(answers.map((answer) => answer.charCodeAt(0) === 22)).to.deep.equal([false, false]);
  });

  it("does not move a socket either", async () => {
    await using stack = await startStack({}, TRUSTING);
    const presented = once(stack.account.asked, "presentRefreshToken");
    const socket = await connectRaw(stack.gateway.address);
    const token = Buffer.concat([Buffer.from([0x82, 0xfe, 0x04, 0x00, 0, 0, 0, 0]), GOOD_TOKEN]);

    socket.write(
      Buffer.concat([
        version2,
        Buffer.from("GET /connect/chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"),
        Buffer.from("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"),
      ]),
    );
    socket.once("data", () => socket.write(token));
    const outcome = await Promise.race([presented.then(([request]) => request.address), once(socket, "close").then(() => "refused")]);

    expect(outcome).to.be.oneOf(["127.0.0.1", "refused"]);
    socket.destroy();
  });
});

describe("a gateway behind a proxy that speaks TLS for it", () => {
  it("warns when it trusts no proxy to name the clients, and not when it trusts one", async () => {
    const warnings: string[] = [];
    const warn = (message: string): number => warnings.push(message);
    const logger = new Proxy({ warn }, { get: (target, name) => (name === "warn" ? target.warn : () => undefined) }) as unknown as Logger;

    await using _trusting = await startStack({}, { ...TRUSTING, GATEWAY_TLS: "terminated-by-proxy" }, {}, { logger });
    expect(warnings).to.deep.equal([]);
    await using _alone = await startStack({}, { GATEWAY_TLS: "terminated-by-proxy" }, {}, { logger });
    expect(warnings).to.deep.equal(["all clients have the proxy's address: GATEWAY_TRUSTED_PROXIES names none"]);
  });
});
