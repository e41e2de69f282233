import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy on loopback that may lose an answer: what was asked was done, and whoever asked sees the connection end instead. */
export class LosingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #mark: string | undefined;
  /** How many answers were lost. */
  lost = 0;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((near) => this.#join(near, connect(target.port, target.host)));
  }

  static async start(target: { readonly host: string; readonly port: number }): Promise<LosingProxy> {
    const proxy = new LosingProxy(target);
    await once(proxy.#server.listen(0, "127.0.0.1"), "listening");
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Loses the answer to the next question in which the text is. */
  loseAnswerTo(mark: string): void {
    this.#mark = mark;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await once(this.#server.close(), "close");
  }

  #join(near: Socket, far: Socket): void {
    let isLosing = false;
    near.on("data", (bytes: Buffer) => {
      if (this.#mark !== undefined && bytes.includes(this.#mark)) {
        this.#mark = undefined;
        isLosing = true;
      }
      far.write(bytes);
    });
    far.on("data", (bytes: Buffer) => {
      if (isLosing) {
        this.lost += 1;
        near.destroy();
      } else {
        near.write(bytes);
      }
    });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
