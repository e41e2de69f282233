import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy on loopback that can be switched off, with every connection, and on again. */
export class SwitchedProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOn = true;

  private constructor(targetPort: number) {
    this.#server = createServer((near) => {
      if (!this.#isOn) {
        near.destroy();
        return;
      }
      this.#join(near, connect(targetPort, "127.0.0.1"));
    });
  }

  /** A proxy for the server that a MongoDB URI names, and the URI that leads through it. */
  static async before(uri: string): Promise<{ proxy: SwitchedProxy; uri: string }> {
    const [, port = "", path = ""] = /:(\d+)(\/[^?]*)/.exec(uri) ?? [];
    const proxy = new SwitchedProxy(Number(port));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    const address = proxy.#server.address();
    const own = typeof address === "object" ? address?.port : "";
    return { proxy, uri: `mongodb://127.0.0.1:${own}${path}?directConnection=true` };
  }

  switch(isOn: boolean): void {
    this.#isOn = isOn;
    if (!isOn) {
      this.#cutAll();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cutAll();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  #cutAll(): void {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }
}
