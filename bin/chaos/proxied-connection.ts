import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { ProxiedWay } from "./proxied-way.ts";
import type { ProxyMode } from "./proxy-mode.ts";

/** A connection to a proxy, "near", and the one that goes on to the server, "far"; without a far one all is swallowed. */
export class ProxiedConnection {
  /** Resolves when both ends are gone. */
  readonly ended: Promise<unknown>;
  readonly #sockets: readonly Socket[];
  readonly #ways: readonly ProxiedWay[];
  /** Whether bytes were swallowed: what came after them would make no sense to anybody. */
  #isTorn: boolean;

  constructor(near: Socket, far: Socket | undefined, mode: ProxyMode) {
    this.#sockets = far === undefined ? [near] : [near, far];
    this.#isTorn = far === undefined;
    this.ended = Promise.all(this.#sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve))));
    for (const socket of this.#sockets) {
      socket.on("error", () => this.reset());
    }
    if (far === undefined) {
      near.resume();
      near.once("end", () => near.destroy());
      this.#ways = [];
      return;
    }
    const tear = (): void => {
      this.#isTorn = true;
    };
    this.#ways = [new ProxiedWay("up", near, far, mode, tear), new ProxiedWay("down", far, near, mode, tear)];
  }

  /** Whether it misses bytes that were swallowed. */
  get isTorn(): boolean {
    return this.#isTorn;
  }

  /** How many bytes are held up. */
  get heldBytes(): number {
    return this.#ways.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Goes on in another mode. Is reset when bytes are missing that would have to be there in it. */
  setMode(mode: ProxyMode): void {
    if (this.#isTorn && mode.kind !== "black-hole") {
      this.reset();
    }
    for (const way of this.#ways) {
      way.setMode(mode);
    }
  }

  /** Ends both sides with a reset. */
  reset(): void {
    for (const way of this.#ways) {
      way.stop();
    }
    this.#sockets.forEach(resetSocket);
  }
}

function resetSocket(socket: Socket): void {
  // Only plain TCP that is connected can be reset. Node's reset of a socket whose end is under way fails, and its handle is never closed.
  const isEnding = socket.writableEnded && !socket.writableFinished;
  if (socket.connecting || isEnding || socket instanceof TLSSocket) {
    socket.destroy();
  } else if (!socket.destroyed) {
    socket.resetAndDestroy();
  }
}
