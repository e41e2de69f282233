import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** Where a connection is cut: after so many bytes to the server ("up") or from it ("down"). */
export interface Cut {
  readonly direction: "up" | "down";
  readonly after: number;
}

/** A TCP proxy on loopback that passes exactly so many bytes of the next connection in one direction, then cuts both ends. */
export class CutProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut: Cut = { direction: "up", after: Number.POSITIVE_INFINITY };
  /** The bytes that the last connection has passed. */
  passed = { up: 0, down: 0 };

  private constructor(targetPort: number) {
    this.#server = createServer((near) => {
      const far = connect(targetPort, "127.0.0.1");
      const passed = { up: 0, down: 0 };
      this.passed = passed;
      this.#pass(near, far, "up", this.#cut, passed);
      this.#pass(far, near, "down", this.#cut, passed);
    });
  }

  static async start(httpUrl: string): Promise<CutProxy> {
    const proxy = new CutProxy(Number(new URL(httpUrl).port));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get httpUrl(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  /** Where connections made from now on are cut. */
  cutAt(cut: Cut): void {
    this.#cut = cut;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.#server.close();
    await once(this.#server, "close");
  }

  #pass(from: Socket, to: Socket, direction: Cut["direction"], cut: Cut, passed: Record<Cut["direction"], number>): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("data", (bytes: Buffer) => {
      const room = cut.direction === direction ? cut.after - passed[direction] : Number.POSITIVE_INFINITY;
      const part = bytes.subarray(0, Math.max(0, Math.min(room, bytes.length)));
      passed[direction] += part.length;
      to.write(part);
      if (part.length < bytes.length || part.length === room) {
        // What was let through still arrives: end the writing half, then both.
        to.end(() => to.destroy());
        from.destroy();
      }
    });
    const end = (): void => {
      this.#sockets.delete(from);
      to.destroy();
    };
    from.on("close", end);
    from.on("error", end);
    to.on("error", () => undefined);
  }
}
