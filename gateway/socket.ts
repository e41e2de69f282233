import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from "uWebSockets.js";
import { SallyportError } from "../platform/errors.ts";
import type { ServiceName } from "../proto/method.ts";
import { Connection, type Socket } from "./connection.ts";
import { containFault } from "./contained-fault.ts";
import type { GatewayContext } from "./context.ts";
import { refuse, respond } from "./http-answer.ts";
import { clientAddress, headerLines } from "./http-client.ts";
import { refuseWith } from "./http-error.ts";
import { isFramedClearly, refuseUnclear } from "./http-framing.ts";
import { isOriginAllowed } from "./origin.ts";
import { upgradeKind } from "./upgrade-request.ts";
import { loadUws } from "./uws.ts";

interface SocketData {
  readonly services: readonly ServiceName[];
  readonly address: string;
  socket?: UwsSocket;
}

/** Above our own limits, so that the gateway itself can close with 1009: uWebSockets cuts the connection (1006). */
const MAX_PAYLOAD_BYTES = 262_144;
/** A socket for which this much waits is closed (4008); replies count too. Two of the longest fit. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
/** Above that, so that the closing frame still finds room: beyond it uWebSockets drops frames silently. */
const MAX_BACKPRESSURE_BYTES = 16 * 1024 * 1024;
const MAX_IDLE_SECONDS = 960;

/** Serves `GET /connect/<service>[,<service>…]`. */
export function serveSockets(app: TemplatedApp, context: GatewayContext): void {
  const handle = (ws: WebSocket<SocketData>, act: (data: SocketData) => void): void =>
    containFault(context.events, "socket", ws, () => act(ws.getUserData()));
  app.ws<SocketData>("/connect/*", {
    compression: loadUws().DISABLED,
    maxPayloadLength: MAX_PAYLOAD_BYTES,
    maxBackpressure: MAX_BACKPRESSURE_BYTES,
    sendPingsAutomatically: false,
    idleTimeout: idleSeconds(context.config.pingIntervalMs),
    upgrade: (response, request, uwsContext) =>
      containFault(context.events, "http", response, () => upgrade(context, response, request, uwsContext)),
    open: (ws) =>
      handle(ws, (data) => {
        data.socket = new UwsSocket(ws, context, data);
      }),
    message: (ws, message, isBinary) => {
      // uWebSockets reuses this buffer as soon as the handler returns: a view of it is copied.
      ws.getUserData().socket?.received(Buffer.from(Buffer.from(message)), isBinary);
    },
    ping: (ws) => handle(ws, ({ socket }) => socket?.heard()),
    pong: (ws) => handle(ws, ({ socket }) => socket?.heard()),
    drain: (ws) => handle(ws, ({ socket }) => socket?.drained()),
    close: (ws, code) => handle(ws, ({ socket }) => socket?.closed(code)),
  });
  // uWebSockets takes a request for an upgrade when its key has 24 characters, whatever else it says; others come here.
  app.get("/connect/*", (response, request) =>
    containFault(context.events, "http", response, () => {
      if (servicesAsked(context, response, request) !== undefined) {
        response.close();
      }
    }),
  );
}

/** The services that the path of an upgrade names; undefined when one is unknown, empty or repeated. */
function servicesOf(path: string): readonly ServiceName[] | undefined {
  const names = decodePath(path).replace("/connect/", "").split(",");
  const known = names.every((name) => name === "account" || name === "chat");
  return known && new Set(names).size === names.length ? names : undefined;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return "";
  }
}

/** The services that a request wants a socket for; undefined: it wants none, or no known ones, and is refused. */
function servicesAsked(
  { config: { transport } }: GatewayContext,
  response: HttpResponse,
  request: HttpRequest,
): readonly ServiceName[] | undefined {
  if (!isFramedClearly(request)) {
    refuseUnclear(response, transport);
    return undefined;
  }
  const services = servicesOf(request.getUrl());
  if (services === undefined) {
    refuse(response, 404, "unimplemented", "no such service", transport);
    return undefined;
  }
  const kind = upgradeKind((name) => headerLines(request, name));
  if (kind === "other-version") {
    respond(response, 426, new Headers({ upgrade: "websocket", connection: "upgrade", "sec-websocket-version": "13" }), "", transport);
    return undefined;
  }
  if (kind === "none") {
    refuse(response, 400, "invalid_argument", "no WebSocket upgrade", transport);
    return undefined;
  }
  return services;
}

function upgrade(context: GatewayContext, response: HttpResponse, request: HttpRequest, uwsContext: us_socket_context_t): void {
  const { allowedOrigins, transport } = context.config;
  const services = servicesAsked(context, response, request);
  if (services === undefined) {
    return;
  }
  const address = clientAddress(response, request, transport.trustedProxies);
  if (address instanceof SallyportError) {
    refuseWith(response, context.registry, address, transport);
    return;
  }
  if (!isOriginAllowed(originOf(request), request.getHeader("host"), allowedOrigins, transport.isSecure)) {
    refuse(response, 403, "permission_denied", "this origin may not connect", transport);
    return;
  }
  if (context.hub.isDraining) {
    refuse(response, 503, "unavailable", "this gateway is stopping", { ...transport, isLast: true });
    return;
  }
  const limited = context.limits.takeSocket(address);
  if (limited !== undefined) {
    refuseWith(response, context.registry, limited, transport);
    return;
  }
  response.upgrade<SocketData>({ services, address }, request.getHeader("sec-websocket-key"), "", "", uwsContext);
}

/** The `Origin` header; of several, a text that is no origin. */
function originOf(request: HttpRequest): string | undefined {
  const origins = headerLines(request, "origin");
  return origins.length === 0 ? undefined : origins.join(" ");
}

/** uWebSockets' own timer only finds sockets that are closed at our end and not at the other. */
function idleSeconds(pingIntervalMs: number): number {
  const seconds = Math.ceil(pingIntervalMs / 1000) + 15;
  return seconds > MAX_IDLE_SECONDS ? 0 : seconds;
}

/** A socket of uWebSockets, which throws when it is used after its end. */
class UwsSocket implements Socket {
  readonly #context: GatewayContext;
  readonly #connection: Connection;
  #ws: WebSocket<SocketData> | undefined;
  /** What leaves together at the end of this turn of the event loop: a write of its own for each would be most of what a reply costs. */
  #due: (Uint8Array | string)[] = [];
  #dueBytes = 0;
  #lastBuffered = 0;
  #takenAt = 0;

  constructor(ws: WebSocket<SocketData>, context: GatewayContext, { services, address }: SocketData) {
    this.#ws = ws;
    this.#context = context;
    this.#connection = new Connection(context, this, services, address);
  }

  get bufferedBytes(): number {
    return this.#ws === undefined ? 0 : this.#ws.getBufferedAmount() + this.#dueBytes;
  }

  stalledSince(now: number): number | undefined {
    this.#observe(now);
    return this.#lastBuffered > 0 ? this.#takenAt : undefined;
  }

  sendBinary(bytes: Uint8Array): void {
    this.#send(bytes);
  }

  sendText(text: string): void {
    this.#send(text);
  }

  ping(): void {
    this.#ws?.ping();
  }

  close(code: number, reason = ""): void {
    this.#flush();
    this.#ws?.end(code, reason);
  }

  terminate(): void {
    this.#ws?.close();
  }

  received(bytes: Uint8Array, isBinary: boolean): void {
    try {
      this.#connection.received(bytes, isBinary);
    } catch (error) {
      this.#context.events.handlingFailed("socket", error);
      this.close(4503);
    }
  }

  heard(): void {
    this.#connection.heard();
    // Answers to pings wait too.
    this.#checkBuffered();
  }

  drained(): void {
    this.#observe(this.#context.clock());
    this.#connection.drained();
  }

  closed(code: number): void {
    this.#ws = undefined;
    this.#connection.closed(code);
  }

  #send(message: Uint8Array | string): void {
    if (this.#ws === undefined) {
      return;
    }
    if (this.#due.length === 0) {
      process.nextTick(() => this.#flushContained());
    }
    this.#due.push(message);
    this.#dueBytes += message.length;
  }

  #flushContained(): void {
    if (this.#ws !== undefined) {
      containFault(this.#context.events, "socket", this.#ws, () => this.#flush());
    }
  }

  #flush(): void {
    const ws = this.#ws;
    const due = this.#due;
    if (ws === undefined || due.length === 0) {
      return;
    }
    this.#due = [];
    this.#dueBytes = 0;
    this.#observe(this.#context.clock());
    let isDropped = false;
    ws.cork(() => {
      for (const message of due) {
        isDropped ||= ws.send(message, typeof message !== "string", false) === 2;
      }
    });
    this.#lastBuffered = ws.getBufferedAmount();
    if (isDropped) {
      this.close(4008);
    } else {
      this.#checkBuffered();
      this.#connection.flushed();
    }
  }

  #checkBuffered(): void {
    if (this.bufferedBytes > MAX_BUFFERED_BYTES) {
      this.close(4008);
    }
  }

  /** Sees whether the client has taken something since the last look. */
  #observe(now: number): void {
    const buffered = this.#ws?.getBufferedAmount() ?? 0;
    if (buffered < this.#lastBuffered || this.#lastBuffered === 0) {
      this.#takenAt = now;
    }
    this.#lastBuffered = buffered;
  }
}
