import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A proxy between unix sockets that can be frozen: connections stay and are taken, nothing passes. What is a paused process looks so from outside. */
export class FreezingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isFrozen = false;

  private constructor(targetPath: string) {
    this.#server = createServer((near) => this.#join(near, connect(targetPath)));
  }

  static async start(path: string, targetPath: string): Promise<FreezingProxy> {
    const proxy = new FreezingProxy(targetPath);
    await once(proxy.#server.listen(path), "listening");
    return proxy;
  }

  freeze(): void {
    this.#isFrozen = true;
    for (const socket of this.#sockets) {
      socket.pause();
    }
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const socket of this.#sockets) {
      socket.resume();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await once(this.#server.close(), "close");
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (bytes: Buffer) => to.write(bytes));
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#isFrozen) {
        from.pause();
      }
    }
  }
}
