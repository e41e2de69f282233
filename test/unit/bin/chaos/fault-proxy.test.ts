import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { FaultProxy } from "../../../../bin/chaos/fault-proxy.ts";

describe("a proxy that can misbehave", () => {
  it("passes what is said both ways, and the end of it", async () => {
    await using stage = await Stage.open();
    const client = await stage.connect();

    client.write("hello");
    const heard = await hear(client, 5);
    client.end();
    await once(client, "close");
    await until(() => stage.proxy.connections === 0);

    expect(heard).to.equal("HELLO");
  });

  it("passes many bytes in order", async () => {
    await using stage = await Stage.open();
    const client = await stage.connect();
    const sent = Array.from({ length: 200_000 }, (_, index) => index % 7919).join(",");

    client.write(sent);

    expect(await hear(client, sent.length)).to.equal(sent);
  });

  it("holds up each way by what it delays", async () => {
    await using stage = await Stage.open();
    const client = await stage.connect();
    await stage.proxy.setMode({ kind: "delay", delayMs: 50 });
    const startedAt = performance.now();

    client.write("one ");
    client.write("two");

    expect(await hear(client, 7)).to.equal("ONE TWO");
    expect(performance.now() - startedAt).to.be.at.least(98);
  });

  it("passes at once, and first, what it held up when it stops to delay", async () => {
    await using stage = await Stage.open();
    const client = await stage.connect();
    await stage.proxy.setMode({ kind: "delay", delayMs: 3_600_000 });

    client.write("one ");
    await until(() => stage.proxy.heldBytes === 4);
    await stage.proxy.setMode({ kind: "pass" });
    client.write("two");

    expect(await hear(client, 7)).to.equal("ONE TWO");
  });

  it("resets the connections that stand when it cuts, and takes new ones", async () => {
    await using stage = await Stage.open();
    const client = await stage.connect();
    client.write("hello");
    await hear(client, 5);

    stage.proxy.cut();
    const failure = await failureOf(client);
    const next = await stage.connect();
    next.write("again");

    expect(failure).to.equal("ECONNRESET");
    expect(await hear(next, 5)).to.equal("AGAIN");
  });

  it("accepts and swallows as a black hole; what came meanwhile is reset when it passes again", async () => {
    await using stage = await Stage.open();
    const before = await stage.connect();
    before.write("hello");
    await hear(before, 5);
    await stage.proxy.setMode({ kind: "black-hole" });

    const during = await stage.connect();
    during.write("lost");
    before.write("lost");
    await until(() => stage.proxy.torn === 2);
    const standing = [before.destroyed, during.destroyed];
    await stage.proxy.setMode({ kind: "pass" });

    expect(await Promise.all([failureOf(before), failureOf(during)])).to.deep.equal(["ECONNRESET", "ECONNRESET"]);
    expect(standing).to.deep.equal([false, false]);
    expect(stage.received()).to.equal("hello");
  });

  it("leaves a connection alone that was silent while it was a black hole", async () => {
    await using stage = await Stage.open();
    const client = await stage.connect();
    client.write("hello");
    await hear(client, 5);

    await stage.proxy.setMode({ kind: "black-hole" });
    await stage.proxy.setMode({ kind: "pass" });
    client.write("again");

    expect(await hear(client, 5)).to.equal("AGAIN");
  });

  it("passes one way only when it is halved", async () => {
    await using stage = await Stage.open();
    const client = await stage.connect();
    await stage.proxy.setMode({ kind: "half", swallowed: "down" });

    client.write("hello");
    await until(() => stage.proxy.torn === 1);

    expect(stage.received()).to.equal("hello");
    expect(client.bytesRead).to.equal(0);
  });

  it("has nobody listen when it refuses, and listens on the same port afterwards", async () => {
    await using stage = await Stage.open();
    const client = await stage.connect();
    client.write("hello");
    await hear(client, 5);

    await stage.proxy.setMode({ kind: "refuse" });
    const failures = [await failureOf(client), await stage.connect().catch((error: NodeJS.ErrnoException) => error.code)];
    await stage.proxy.setMode({ kind: "pass" });
    const next = await stage.connect();
    next.write("again");

    expect(failures).to.deep.equal(["ECONNRESET", "ECONNREFUSED"]);
    expect(await hear(next, 5)).to.equal("AGAIN");
  });

  it("resets a connection whose server is not there", async () => {
    await using stage = await Stage.open();
    stage.close();

    const client = await stage.connect();

    expect(await failureOf(client)).to.equal("ECONNRESET");
  });
});

/** A server that answers in capitals, a proxy before it, and clients. */
class Stage implements AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly #server: Server;
  readonly #clients: Socket[] = [];
  readonly #received: () => string;

  private constructor(server: Server, received: () => string, proxy: FaultProxy) {
    this.#server = server;
    this.#received = received;
    this.proxy = proxy;
  }

  static async open(): Promise<Stage> {
    let received = "";
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", (bytes) => {
        received += bytes.toString();
        socket.write(bytes.toString().toUpperCase());
      });
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const proxy = await FaultProxy.start(0, () => connect({ port, host: "127.0.0.1", allowHalfOpen: true }));
    return new Stage(server, () => received, proxy);
  }

  /** All that the server was told. */
  received(): string {
    return this.#received();
  }

  close(): void {
    this.#server.close();
  }

  async connect(): Promise<Socket> {
    const client = connect(this.proxy.port, "127.0.0.1");
    await once(client, "connect");
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) {
      client.destroy();
    }
    await this.proxy[Symbol.asyncDispose]();
    this.#server.close();
  }
}

/** So many characters from a socket. */
async function hear(socket: Socket, length: number): Promise<string> {
  let heard = "";
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    heard += String(bytes);
    if (heard.length >= length) {
      break;
    }
  }
  return heard;
}

/** With what a socket fails. */
async function failureOf(socket: Socket): Promise<string | undefined> {
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  return error.code;
}

async function until(isIt: () => boolean): Promise<void> {
  while (!isIt()) {
    await nextTurn();
  }
}
