import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A TCP balancer on loopback: each connection goes to the next target in turn that accepts it. */
export class Balancer implements AsyncDisposable {
  readonly #server: Server;
  readonly #ports: readonly number[];
  readonly #sockets = new Set<Socket>();
  #turn = 0;

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#server = createServer({ pauseOnConnect: true }, (near) => void this.#serve(near));
  }

  static async start(httpUrls: readonly string[]): Promise<Balancer> {
    const balancer = new Balancer(httpUrls.map((url) => Number(new URL(url).port)));
    balancer.#server.listen(0, "127.0.0.1");
    await once(balancer.#server, "listening");
    return balancer;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await once(this.#server.close(), "close");
  }

  async #serve(near: Socket): Promise<void> {
    this.#keep(near);
    const first = this.#turn;
    this.#turn += 1;
    for (let attempt = 0; attempt < this.#ports.length; attempt += 1) {
      const far = connect(this.#ports[(first + attempt) % this.#ports.length] ?? 0, "127.0.0.1");
      this.#keep(far);
      const isConnected = await new Promise<boolean>((resolve) => {
        far.once("connect", () => resolve(true));
        far.once("close", () => resolve(false));
      });
      if (isConnected) {
        far.on("close", () => near.destroy());
        near.on("close", () => far.destroy());
        near.pipe(far);
        far.pipe(near);
        return;
      }
    }
    near.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
