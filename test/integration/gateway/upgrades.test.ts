import { expect } from "chai";
import { startStack } from "./harness.ts";
import { connectRaw, exchangeRaw } from "./raw-http.ts";

const HANDSHAKE = {
  Upgrade: "websocket",
  Connection: "keep-alive, UPGRADE",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** What a GET of a path comes to, with a handshake's headers but for some. */
async function ask(address: string, changes: Readonly<Record<string, string | undefined>>, path = "/connect/chat"): Promise<string> {
  const headers = Object.entries<string | undefined>({ Host: "localhost", ...HANDSHAKE, ...changes });
  const lines = headers.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]));
  const socket = await connectRaw(address);
  socket.once("data", () => socket.end());
  return await exchangeRaw(socket, `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
}

describe("a request for a socket", () => {
  it("is answered with 101 when it is a WebSocket handshake", async () => {
    await using stack = await startStack();

    expect(await ask(stack.gateway.address, {})).to.match(
      /^HTTP\/1\.1 101 .*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/is,
    );
  });

  for (const [title, changes] of [
    ["asks for no upgrade", { Upgrade: undefined }],
    ["asks for another upgrade", { Upgrade: "h2c" }],
    ["has a connection that is not upgraded", { Connection: "keep-alive" }],
    ["has no key", { "Sec-WebSocket-Key": undefined }],
    ["has a short key", { "Sec-WebSocket-Key": "dGhl" }],
    ["has a key of 24 characters that are no base64", { "Sec-WebSocket-Key": "!".repeat(24) }],
    ["has a body", { "Content-Length": "2" }],
  ] as const) {
    it(`is 400 when it ${title}, after its path is found`, async () => {
      await using stack = await startStack();

      const answers = [await ask(stack.gateway.address, changes), await ask(stack.gateway.address, changes, "/connect/nothing")];

      expect(answers.map((answer) => answer.slice(0, 12))).to.deep.equal(["HTTP/1.1 400", "HTTP/1.1 404"]);
    });
  }

  for (const version of ["8", undefined]) {
    it(`is 426 with the version that is spoken here when it asks for ${version ?? "none"}`, async () => {
      await using stack = await startStack();

      const answer = await ask(stack.gateway.address, { "Sec-WebSocket-Version": version });

      expect(answer).to.match(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
      expect(answer).to.match(/\r\nsec-websocket-version: 13\r\n/i);
      expect(answer).to.match(/\r\nupgrade: websocket\r\n/i);
    });
  }
});
