import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { ProxiedConnection } from "./proxied-connection.ts";
import type { ProxyMode } from "./proxy-mode.ts";

const HOST = "127.0.0.1";

/** A TCP proxy on loopback that can misbehave. Its mode may change while connections stand; they take part in the new one. */
export class FaultProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #connections = new Set<ProxiedConnection>();
  #mode: ProxyMode = { kind: "pass" };

  private constructor(server: Server, connectFar: () => Socket) {
    this.#server = server;
    this.port = portOf(server);
    server.on("connection", (near) => {
      const connection = new ProxiedConnection(near, this.#mode.kind === "black-hole" ? undefined : connectFar(), this.#mode);
      this.#connections.add(connection);
      void connection.ended.then(() => this.#connections.delete(connection));
    });
  }

  /** Listens on a port (0: any that is free), and makes for each connection one of its own with `connectFar`. */
  static async start(port: number, connectFar: () => Socket): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await listen(server, port);
    return new FaultProxy(server, connectFar);
  }

  /** Its address, `host:port`. */
  get address(): string {
    return `${HOST}:${this.port}`;
  }

  /** How many connections stand. */
  get connections(): number {
    return this.#connections.size;
  }

  /** How many of them miss bytes that were swallowed. */
  get torn(): number {
    return [...this.#connections].filter(({ isTorn }) => isTorn).length;
  }

  /** How many bytes are held up in all of them. */
  get heldBytes(): number {
    return [...this.#connections].reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Changes what happens to the connections, those that stand included. A connection that bytes are missing from is reset as soon as it would pass again. */
  async setMode(mode: ProxyMode): Promise<void> {
    const [before, refuses] = [this.#mode, mode.kind === "refuse"];
    this.#mode = mode;
    for (const connection of this.#connections) {
      connection.setMode(mode);
    }
    if (refuses && before.kind !== "refuse") {
      this.#server.close();
      this.cut();
    } else if (!refuses && before.kind === "refuse") {
      await listen(this.#server, this.port);
    }
  }

  /** Resets every connection that stands. */
  cut(): void {
    for (const connection of this.#connections) {
      connection.reset();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    if (this.#server.listening) {
      await once(this.#server.close(), "close");
    }
  }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, HOST);
  await once(server, "listening");
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("a proxy listens on a port");
  }
  return address.port;
}
