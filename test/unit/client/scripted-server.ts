import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { ClientFrame, ServerFrame } from "../../../proto/gen/sallyport/gateway/v1/frames.ts";

/** A socket at the server's end: the test says what it sends and when. */
export class ScriptedSocket {
  readonly path: string;
  readonly #socket: WebSocket;
  readonly #frames: Buffer[] = [];
  #wake: () => void = () => undefined;

  constructor(socket: WebSocket, path: string) {
    this.#socket = socket;
    this.path = path;
    socket.on("message", (bytes: RawData) => {
      this.#frames.push(bytes as Buffer);
      this.#wake();
    });
  }

  /** How many frames came that were not yet taken. */
  get waiting(): number {
    return this.#frames.length;
  }

  /** The next frame of the client. */
  async next(): Promise<Buffer> {
    while (this.#frames.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#frames.shift() as Buffer;
  }

  /** The next frame of the client, decoded. */
  async nextFrame(): Promise<NonNullable<ClientFrame["kind"]>> {
    const { kind } = ClientFrame.decode(await this.next());
    if (kind === undefined) {
      throw new Error("the client sent a frame of no kind");
    }
    return kind;
  }

  /** The next call of the client, other frames left out. */
  async nextCall(): Promise<{ id: number; method: string; request: Uint8Array; timeoutMs: number }> {
    for (;;) {
      const frame = await this.nextFrame();
      if (frame.$case === "call") {
        return frame.value;
      }
    }
  }

  send(frame: Uint8Array | string): void {
    this.#socket.send(frame);
  }

  event(event: unknown): void {
    this.send(JSON.stringify(event));
  }

  reply(callId: number, response: Uint8Array): void {
    const value = { callId, code: 0, response: Buffer.from(response), message: "", details: [] };
    this.send(ServerFrame.encode({ kind: { $case: "reply", value } }).finish());
  }

  refuse(callId: number, code: number, details: { typeUrl: string; value: Buffer }[] = []): void {
    const value = { callId, code, response: Buffer.alloc(0), message: "refused", details };
    this.send(ServerFrame.encode({ kind: { $case: "reply", value } }).finish());
  }

  close(code: number, reason = ""): void {
    this.#socket.close(code, reason);
  }

  cut(): void {
    this.#socket.terminate();
  }

  /** Resolves when the client has closed it. */
  async closed(): Promise<void> {
    if (this.#socket.readyState !== this.#socket.CLOSED) {
      await once(this.#socket, "close");
    }
  }
}

/** A gateway that does what the test says. */
export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  /** The next socket that a client opens. */
  readonly socket: () => Promise<ScriptedSocket>;
  /** How many sockets clients have opened so far. */
  readonly opened: () => number;
}

/** Starts a gateway that does what the test says; `respond` answers its HTTP requests. */
export async function scriptedServer(
  respond: (request: IncomingMessage, body: Buffer, response: ServerResponse) => unknown = (_request, _body, response) => response.end(),
): Promise<ScriptedServer> {
  const http: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => respond(request, Buffer.concat(chunks), response));
  });
  const webSockets = new WebSocketServer({ server: http });
  const arrived: ScriptedSocket[] = [];
  let opened = 0;
  let wake = (): void => undefined;
  webSockets.on("connection", (socket, request) => {
    opened += 1;
    arrived.push(new ScriptedSocket(socket, request.url ?? ""));
    wake();
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    opened: () => opened,
    socket: async () => {
      while (arrived.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return arrived.shift() as ScriptedSocket;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of webSockets.clients) {
        socket.terminate();
      }
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
