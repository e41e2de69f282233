import { once } from "node:events";
import { type RawData, WebSocket } from "ws";
import { ClientFrame, type Reply, ServerFrame } from "../../proto/gen/sallyport/gateway/v1/frames.ts";

/** What a socket brought: a frame, or its end. */
export type Arrival = { readonly binary: Buffer } | { readonly text: string } | { readonly closed: number; readonly reason: string };

/** A WebSocket without any knowledge of the protocol: frames out, arrivals in, in order. */
export class RawSocket implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly #arrivals: Arrival[] = [];
  readonly #wakes: (() => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (bytes: RawData, isBinary: boolean) => {
      const frame = Buffer.isBuffer(bytes) ? bytes : Buffer.concat(bytes as Buffer[]);
      this.#arrive(isBinary ? { binary: frame } : { text: frame.toString() });
    });
    socket.on("close", (closed, reason) => this.#arrive({ closed, reason: reason.toString() }));
    socket.on("error", () => undefined);
  }

  /** Opens a socket to `path` of a gateway. Rejects when the upgrade is refused. */
  static async open(
    httpUrl: string,
    path: string,
    options: { headers?: Record<string, string>; localAddress?: string; ca?: string } = {},
  ): Promise<RawSocket> {
    const socket = new WebSocket(httpUrl.replace("http", "ws") + path, { perMessageDeflate: false, ...options });
    const raw = new RawSocket(socket);
    await once(socket, "open");
    return raw;
  }

  /** A socket whose upgrade may fail: ends as an arrival either way. */
  static start(httpUrl: string, path: string): RawSocket {
    return new RawSocket(new WebSocket(httpUrl.replace("http", "ws") + path, { perMessageDeflate: false }));
  }

  /** Sends one Binary frame, or one Text frame for a string. */
  send(frame: Uint8Array | string): void {
    this.socket.send(frame);
  }

  sendFrame(kind: NonNullable<ClientFrame["kind"]>): void {
    this.send(ClientFrame.encode({ kind }).finish());
  }

  /** The next arrival. */
  async next(): Promise<Arrival> {
    return this.#first(() => true, "anything");
  }

  /** The next arrival, which must be a Binary frame. */
  async binary(): Promise<Buffer> {
    const arrival = await this.next();
    if (!("binary" in arrival)) {
      throw new Error(`expected a Binary frame, got ${describeArrival(arrival)}`);
    }
    return arrival.binary;
  }

  /** The next event; replies that come before it stay for `reply`. Fails when the socket closes first. */
  async event(): Promise<Record<string, Record<string, unknown>>> {
    const arrival = await this.#first((candidate) => "text" in candidate, "an event");
    return JSON.parse((arrival as { text: string }).text) as Record<string, Record<string, unknown>>;
  }

  /** The next reply; events that come before it stay for `event`. Fails when the socket closes first. */
  async reply(): Promise<Reply> {
    return readReply(await this.#first((candidate) => readReply(candidate) !== undefined, "a reply")) as Reply;
  }

  /** The reply to one call; whatever else comes stays. */
  async replyTo(callId: number): Promise<Reply> {
    return readReply(await this.#first((candidate) => readReply(candidate)?.callId === callId, `the reply to ${callId}`)) as Reply;
  }

  /** The close code, whatever comes before it. */
  async closed(): Promise<{ code: number; reason: string }> {
    for (;;) {
      const arrival = await this.next();
      if ("closed" in arrival) {
        return { code: arrival.closed, reason: arrival.reason };
      }
    }
  }

  /** Cuts the connection without a close frame. */
  cut(): void {
    this.socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState !== WebSocket.CLOSED) {
      const end = once(this.socket, "close");
      this.socket.terminate();
      await end;
    }
  }

  async #first(wanted: (arrival: Arrival) => boolean, name: string): Promise<Arrival> {
    for (;;) {
      const index = this.#arrivals.findIndex(wanted);
      if (index >= 0) {
        return this.#arrivals.splice(index, 1)[0] as Arrival;
      }
      const last = this.#arrivals.at(-1);
      if (last !== undefined && "closed" in last) {
        throw new Error(`expected ${name}, got ${describeArrival(last)}`);
      }
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
  }

  #arrive(arrival: Arrival): void {
    this.#arrivals.push(arrival);
    for (const wake of this.#wakes.splice(0)) {
      wake();
    }
  }
}

function readReply(arrival: Arrival): Reply | undefined {
  if (!("binary" in arrival)) {
    return undefined;
  }
  const { kind } = ServerFrame.decode(arrival.binary);
  return kind?.$case === "reply" ? kind.value : undefined;
}

function describeArrival(arrival: Arrival): string {
  if ("closed" in arrival) {
    return `close ${arrival.closed}`;
  }
  return "text" in arrival ? `event ${Object.keys(JSON.parse(arrival.text) as object).join()}` : `Binary of ${arrival.binary.length} bytes`;
}
