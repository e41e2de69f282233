import { once } from "node:events";
import { expect } from "chai";
import { startStack } from "./harness.ts";
import { connectRaw } from "./raw-http.ts";

/** Makes two requests one after the other on one connection, which the second one ends; answers each answer as it was written. */
async function askTwice(address: string, first: string, second: string): Promise<readonly [string, string]> {
  const socket = await connectRaw(address);
  socket.setEncoding("latin1");
  socket.write(`${first} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const [head] = (await once(socket, "data")) as [string];
  let rest = "";
  socket.on("data", (text: string) => {
    rest += text;
  });
  const end = once(socket, "close");
  socket.write(`${second} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  await end;
  return [head, rest];
}

describe("the answer to HEAD", () => {
  it("has the length of the body and not the body, and the connection goes on", async () => {
    await using stack = await startStack();
    const { address, adminAddress } = stack.gateway;

    for (const [url, path, status] of [
      [address, "/nowhere", 404],
      [adminAddress, "/nowhere", 404],
      [adminAddress, "/livez", 200],
      [adminAddress, "/readyz", 200],
    ] as const) {
      const [head, get] = await askTwice(url, `HEAD ${path}`, `GET ${path}`);
      const [headers = "", body = ""] = get.split("\r\n\r\n");

      expect(head, path).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(head.split("\r\n\r\n")[1], path).to.equal("");
      expect(head.toLowerCase(), path).to.contain(`content-length: ${body.length}`);
      expect(headers, path).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
    }
  });

  it("ends the connection where it was asked to", async () => {
    await using stack = await startStack();

    const [, last] = await askTwice(stack.gateway.adminAddress, "GET /livez", "HEAD /livez");

    expect(last).to.match(/^HTTP\/1\.1 200 .*\r\n\r\n$/s);
  });
});
