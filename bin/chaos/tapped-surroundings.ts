import { parseEvent, type ServerEvent } from "../../client/event.ts";
import type { OpenSocket, Socket, SocketListener } from "../../client/socket.ts";
import type { Surroundings } from "../../client/surroundings.ts";
import type { GatewayRotation } from "./gateway-rotation.ts";
import type { SocketSighting } from "./sockets-seen.ts";

/** Who hears what a client sends and gets. */
export interface WireListener {
  /** A call goes out, on a socket or over HTTP. */
  called(): void;
  /** A socket is opened. */
  socketOpened(at: number): SocketSighting;
  /** An event came on a socket that its client has not closed. */
  heard(event: ServerEvent): void;
}

/** The tag of a ClientFrame that is a call, its first byte. */
const CALL = 0x0a;
const DISPLACED = 4409;

/** What the client library runs on, with its sockets and HTTP calls spread over the gateways, and a listener to them. */
export function tapSurroundings(inner: Surroundings, gateways: GatewayRotation, wire: WireListener): Surroundings {
  return { ...inner, openSocket: tapSockets(inner, gateways, wire), fetch: tapFetch(inner.fetch, gateways, wire) };
}

function tapSockets({ openSocket, now }: Surroundings, gateways: GatewayRotation, wire: WireListener): OpenSocket {
  return (url, listener) => {
    const { pathname } = new URL(url);
    const services = pathname.slice(pathname.lastIndexOf("/") + 1).split(",").length;
    const tapped = new TappedSocket(listener, services, now, wire);
    return tapped.over(openSocket(gateways.next().replace(/^http/, "ws") + pathname, tapped));
  };
}

class TappedSocket implements SocketListener {
  readonly #listener: SocketListener;
  readonly #services: number;
  readonly #now: () => number;
  readonly #wire: WireListener;
  readonly #sighting: SocketSighting;
  #sent = 0;
  #received = 0;
  #isClosed = false;

  constructor(listener: SocketListener, services: number, now: () => number, wire: WireListener) {
    this.#listener = listener;
    this.#services = services;
    this.#now = now;
    this.#wire = wire;
    this.#sighting = wire.socketOpened(now());
  }

  over(socket: Socket): Socket {
    return {
      send: (bytes) => {
        this.#sent += 1;
        // The first frames are refresh tokens, whose first byte may be any.
        if (this.#sent > this.#services && bytes[0] === CALL) {
          this.#wire.called();
        }
        socket.send(bytes);
      },
      close: () => {
        this.#isClosed = true;
        this.#sighting.ended(this.#now());
        socket.close();
      },
    };
  }

  opened(): void {
    this.#listener.opened();
  }

  binary(bytes: Uint8Array): void {
    this.#received += 1;
    if (this.#received === 2 * this.#services) {
      this.#sighting.exchanged(this.#now());
    }
    this.#listener.binary(bytes);
  }

  text(text: string): void {
    const event = this.#isClosed ? undefined : parseEvent(text);
    if (event?.type === "displaced") {
      this.#sighting.displaced(this.#now());
    }
    if (event !== undefined) {
      this.#wire.heard(event);
    }
    this.#listener.text(text);
  }

  closed(code: number, reason: string): void {
    if (code === DISPLACED) {
      this.#sighting.displaced(this.#now());
    }
    this.#sighting.ended(this.#now());
    this.#listener.closed(code, reason);
  }
}

function tapFetch(fetch: Surroundings["fetch"], gateways: GatewayRotation, wire: WireListener): Surroundings["fetch"] {
  return async (resource, init) => {
    const { pathname } = new URL(resource instanceof Request ? resource.url : resource);
    wire.called();
    for (let tried = 1; ; tried += 1) {
      try {
        return await fetch(gateways.next() + pathname, init);
      } catch (error) {
        // Nobody listens there, so nothing went out.
        if (tried >= gateways.size || !isRefusedConnection(error)) {
          throw error;
        }
      }
    }
  };
}

function isRefusedConnection(error: unknown): boolean {
  return error instanceof Error && (error.cause as { code?: unknown } | undefined)?.code === "ECONNREFUSED";
}
