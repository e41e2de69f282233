import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

/** What a socket does with what comes. Payloads are gone when these return: whoever keeps one copies it. */
export interface FrameSink {
  binary?(payload: Buffer): void;
  text?(payload: Buffer): void;
  /** Everything that came in one piece has been handed over: the moment to answer it in one piece. */
  settled?(): void;
  closed?(code: number): void;
}

/** The kinds of WebSocket frame (RFC 6455, section 5.2). */
export const Opcode = { TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

const READ_BYTES = 262_144;
/** All sockets of this process read into one buffer, one after the other. */
const READ_BUFFER = Buffer.allocUnsafeSlow(READ_BYTES);
const NO_CODE = 1005;

/**
 * A WebSocket client (RFC 6455) that costs the least that Node lets it: frames go out as they were built, many in one write, and are taken
 * apart where they came in. It knows no fragments, which neither the gateway nor the floor sends. Its masking key is 0, which leaves a payload as it is.
 */
export class LoadSocket {
  readonly #socket: Socket;
  #sink: FrameSink = {};
  #rest: Buffer | undefined;
  #opened: (() => void) | undefined;
  #closeCode = 1006;

  private constructor(port: number, path: string, opened: () => void, failed: (error: Error) => void) {
    this.#opened = opened;
    this.#socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: (count) => this.#read(READ_BUFFER.subarray(0, count)) },
    });
    this.#socket.on("connect", () => this.#socket.write(upgradeRequest(port, path)));
    this.#socket.on("error", failed);
    this.#socket.on("close", () => {
      failed(new Error(`${path} is not to be had`));
      this.#sink.closed?.(this.#closeCode);
    });
  }

  /** Opens a socket on a port of this machine. Rejects when it is refused. */
  static open(port: number, path: string): Promise<LoadSocket> {
    return new Promise((resolve, reject) => {
      const socket: LoadSocket = new LoadSocket(port, path, () => resolve(socket), reject);
    });
  }

  /** Hands everything that comes from now on to a sink. */
  into(sink: FrameSink): void {
    this.#sink = sink;
  }

  /** Sends frames that `clientFrame` built, one or several behind each other. The bytes must stay as they are until they have left. */
  send(frames: Buffer): void {
    this.#socket.write(frames);
  }

  /** Closes in order: with a closing frame, at which the other end closes. */
  close(): void {
    this.#socket.write(clientFrame(Opcode.CLOSE, Buffer.from([0x03, 0xe8])));
  }

  /** Ends at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): boolean {
    let at = 0;
    const all = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
    if (this.#opened !== undefined) {
      const end = all.indexOf("\r\n\r\n");
      if (end < 0) {
        this.#rest = Buffer.from(all);
        return true;
      }
      this.#open(all.subarray(0, end).toString("latin1"));
      at = end + 4;
    }
    at = this.#takeFrames(all, at);
    this.#rest = at === all.length ? undefined : Buffer.from(all.subarray(at));
    this.#sink.settled?.();
    return true;
  }

  #open(head: string): void {
    if (!head.startsWith("HTTP/1.1 101 ")) {
      this.#socket.destroy(new Error(`the upgrade was answered ${head.slice(9, 12)}`));
      return;
    }
    this.#opened?.();
    this.#opened = undefined;
  }

  /** Takes whole frames; answers where the first begins that is not whole. */
  #takeFrames(bytes: Buffer, start: number): number {
    let at = start;
    for (;;) {
      if (bytes.length - at < 2) {
        return at;
      }
      const short = bytes[at + 1] as number;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length - at < header) {
        return at;
      }
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      const end = at + header + length;
      if (end > bytes.length) {
        return at;
      }
      this.#take((bytes[at] as number) & 15, bytes.subarray(at + header, end));
      at = end;
    }
  }

  #take(opcode: number, payload: Buffer): void {
    switch (opcode) {
      case Opcode.BINARY:
        this.#sink.binary?.(payload);
        break;
      case Opcode.TEXT:
        this.#sink.text?.(payload);
        break;
      case Opcode.PING:
        this.#socket.write(clientFrame(Opcode.PONG, payload));
        break;
      case Opcode.CLOSE:
        this.#closeCode = payload.length < 2 ? NO_CODE : payload.readUInt16BE(0);
        this.#socket.end(clientFrame(Opcode.CLOSE, payload.subarray(0, 2)));
        break;
    }
  }
}

/** A whole frame of a client, under the masking key 0. */
export function clientFrame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.alloc(header + 4 + length);
  frame[0] = 0x80 | opcode;
  if (header === 2) {
    frame[1] = 0x80 | length;
  } else if (header === 4) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(payload, header + 4);
  return frame;
}

function upgradeRequest(port: number, path: string): string {
  const key = randomBytes(16).toString("base64");
  const lines = [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, "Upgrade: websocket", "Connection: Upgrade"];
  return [...lines, `Sec-WebSocket-Key: ${key}`, "Sec-WebSocket-Version: 13", "", ""].join("\r\n");
}
