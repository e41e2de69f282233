import { connect, type Socket } from "node:net";
import { clientFrame, type ServerFrame, takeFrames } from "./web-socket-frame.ts";

const END_OF_HEADERS = Buffer.from("\r\n\r\n");

/** A WebSocket with nothing around it, whose end leaves nothing behind. */
export class BareSocket {
  readonly #tcp: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #upgraded = false;
  #queued: Buffer[] = [];
  #arrivals: ServerFrame[] = [];
  #wake: (() => void) | undefined;

  /** `from`: the loopback address that it comes from, so that a run does not use up the ports of one. */
  constructor(url: URL, path: string, from: string) {
    this.#tcp = connect({ host: url.hostname, port: Number(url.port), localAddress: from });
    this.#tcp.setNoDelay(true);
    this.#tcp.write(
      `GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    this.#tcp.on("data", (chunk) => this.#receive(chunk));
    this.#tcp.on("error", () => this.#arrive({ closed: 1006 }));
    this.#tcp.on("close", () => this.#arrive({ closed: 1006 }));
  }

  /** Sends a frame, as soon as the upgrade is answered: uWebSockets passes over what comes with its request. */
  send(opcode: number, content: Buffer): void {
    const frame = clientFrame(opcode, content);
    if (this.#upgraded) {
      this.#tcp.write(frame);
    } else {
      this.#queued.push(frame);
    }
  }

  /** The next frame; the last one is the end, again and again. */
  async next(): Promise<ServerFrame> {
    for (;;) {
      const [first] = this.#arrivals;
      if (first !== undefined) {
        if (!("closed" in first)) {
          this.#arrivals.shift();
        }
        return first;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The code that the server closes with, whatever it sends before. */
  async closed(): Promise<number> {
    for (;;) {
      const arrival = await this.next();
      if ("closed" in arrival) {
        return arrival.closed;
      }
    }
  }

  /** Ends it with a reset: no port waits for stragglers. */
  reset(): void {
    this.#tcp.resetAndDestroy();
  }

  #receive(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    if (!this.#upgraded) {
      const end = this.#bytes.indexOf(END_OF_HEADERS);
      if (end < 0) {
        return;
      }
      this.#upgraded = true;
      this.#bytes = this.#bytes.subarray(end + END_OF_HEADERS.length);
      this.#tcp.write(Buffer.concat(this.#queued));
    }
    const { frames, rest } = takeFrames(this.#bytes);
    this.#bytes = rest;
    frames.forEach((frame) => {
      this.#arrive(frame);
    });
  }

  #arrive(frame: ServerFrame): void {
    this.#arrivals.push(frame);
    this.#wake?.();
    this.#wake = undefined;
  }
}
