import type { Socket } from "node:net";
import { expect } from "chai";
import { CertificateFiles } from "../../support/certificate-files.ts";
import { startStack } from "./harness.ts";
import { connectRaw, exchangeRaw } from "./raw-http.ts";

const LOGIN = "/sallyport.account.v1.AccountService/Login";
const UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
/** What somebody would smuggle in behind a request whose end is seen elsewhere. */
const SMUGGLED = `POST ${LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`;

describe("a request whose end or host is in doubt", () => {
  for (const [title, head] of [
    ["two lengths that differ", "Host: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n"],
    ["two lengths that agree", "Host: localhost\r\nContent-Length: 2\r\nContent-Length: 2\r\n"],
    ["a length and a transfer coding", "Host: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n"],
    ["a transfer coding and a length", "Host: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n"],
    ["a transfer coding that is not chunked", "Host: localhost\r\nTransfer-Encoding: identity\r\n"],
    ["a transfer coding that only looks chunked", "Host: localhost\r\nTransfer-Encoding: xchunked\r\n"],
    ["two transfer codings", "Host: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"],
    ["a list of lengths", "Host: localhost\r\nContent-Length: 2, 2\r\n"],
    ["a length with a sign", "Host: localhost\r\nContent-Length: +2\r\n"],
    ["an empty length", "Host: localhost\r\nContent-Length: \r\n"],
    ["no host", "Content-Length: 2\r\n"],
    ["two hosts", "Host: localhost\r\nHost: example.com\r\nContent-Length: 2\r\n"],
  ] as const) {
    for (const path of [LOGIN, "/x.Y/Z"]) {
      it(`for ${title}, to ${path === LOGIN ? "a method" : "no method"}, ends the connection and is not answered twice`, async () => {
        await using stack = await startStack();
        let logins = 0;
        stack.account.asked.on("login", () => {
          logins += 1;
        });

        const answer = await exchangeRaw(
          await connectRaw(stack.gateway.address),
          `POST ${path} HTTP/1.1\r\nContent-Type: application/json\r\n${head}\r\n{}${SMUGGLED}`,
        );

        expect(answer).to.match(/^(HTTP\/1\.1 400 |$)/);
        expect(answer.match(/HTTP\/1\.1 /g) ?? []).to.have.length.at.most(1);
        expect(logins).to.equal(0);
      });
    }
  }

  for (const [title, head] of [
    ["two lengths", "Host: localhost\r\nContent-Length: 0\r\nContent-Length: 1\r\n"],
    ["two hosts", "Host: localhost\r\nHost: example.com\r\n"],
  ] as const) {
    it(`for ${title} opens no socket`, async () => {
      await using stack = await startStack();

      const answer = await exchangeRaw(await connectRaw(stack.gateway.address), `GET /connect/chat HTTP/1.1\r\n${UPGRADE}${head}\r\n`);

      expect(answer).to.match(/^HTTP\/1\.1 400 /);
    });
  }
});

describe("a header with the name of something that every object has", () => {
  for (const [title, head] of [
    ["a request", "GET / HTTP/1.1\r\n"],
    ["an upgrade", `GET /connect/nothing HTTP/1.1\r\n${UPGRADE}`],
  ] as const) {
    it(`is a header like any other, on ${title}`, async () => {
      await using stack = await startStack();
      const socket = await connectRaw(stack.gateway.address);
      socket.once("data", () => socket.end());

      const answer = await exchangeRaw(socket, `${head}Host: localhost\r\nConstructor: x\r\n\r\n`);

      expect(answer).to.match(/^HTTP\/1\.1 404 /);
    });
  }
});

describe("a connection that never comes to a whole request", () => {
  it("is cut by itself, and reaches no service", async function () {
    // uWebSockets gives a connection 10 s, or a body 16 KiB a second.
    this.timeout(60_000);
    await using files = await CertificateFiles.create();
    await using stack = await startStack();
    await using secure = await startStack({}, files.env);
    let logins = 0;
    stack.account.asked.on("login", () => {
      logins += 1;
    });
    const head = `POST ${LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
    const unreadable = [
      "X: a\r\n b\r\nContent-Length: 2\r\n",
      "Content-Length : 2\r\n",
      "X: a\rContent-Length: 2\r\n",
      "X: a\0b\r\nContent-Length: 2\r\n",
      `${Array.from({ length: 300 }, (_, index) => `X-${index}: 1\r\n`).join("")}Content-Length: 2\r\n`,
      `X: ${"x".repeat(65_536)}\r\nContent-Length: 2\r\n`,
    ];

    const answers = await Promise.all([
      ...unreadable.map(async (more) => exchangeRaw(await connectRaw(stack.gateway.address), `${head}${more}\r\n{}${SMUGGLED}`)),
      dribble(await connectRaw(stack.gateway.address), `${head}X: `, "x"),
      dribble(await connectRaw(stack.gateway.address), `${head}Content-Length: 1000000\r\n\r\n`, "x"),
      // A ClientHello (RFC 8446 section 4.1.2) of 3840 bytes, as far as it comes.
      dribble(await connectRaw(secure.gateway.address), "\x16\x03\x01\x0f\x04\x01\x00\x0f\x00\x03\x03", "x"),
      dribble(await connectRaw(stack.gateway.address), "", ""),
    ]);

    expect(answers.filter((answer) => !/^(HTTP\/1\.1 4|$)/.test(answer))).to.deep.equal([]);
    expect(logins).to.equal(0);
  });
});

/** Sends a beginning, then a little more every so often; resolves when the gateway has had enough. */
async function dribble(socket: Socket, beginning: string, more: string): Promise<string> {
  const drip = setInterval(() => socket.write(more), 500);
  try {
    return await exchangeRaw(socket, beginning);
  } finally {
    clearInterval(drip);
  }
}
