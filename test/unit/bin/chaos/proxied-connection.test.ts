import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect } from "chai";
import { ProxiedConnection } from "../../../../bin/chaos/proxied-connection.ts";

describe("a connection through a proxy", () => {
  it("is gone after a reset that comes while the end of one side is passed on", async () => {
    const server = createServer({ allowHalfOpen: true });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const [client, near] = await pair((server.address() as AddressInfo).port, server);
    const [far, served] = await pair((server.address() as AddressInfo).port, server);
    served.on("error", () => served.destroy());
    client.on("error", () => client.destroy());

    const connection = new ProxiedConnection(near, far, { kind: "pass" });
    client.end();
    await once(near, "end");
    const before = far.writableEnded && !far.writableFinished;
    connection.reset();
    await connection.ended;

    expect(before).to.equal(true);
    served.destroy();
    await once(server.close(), "close");
  });
});

/** Both ends of a connection: of who connects, and of the server. */
async function pair(port: number, server: ReturnType<typeof createServer>): Promise<readonly [Socket, Socket]> {
  const accepted = once(server, "connection");
  const connecting = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const [[socket]] = (await Promise.all([accepted, once(connecting, "connect")])) as unknown as [[Socket], unknown];
  return [connecting, socket];
}
