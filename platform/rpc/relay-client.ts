import type { ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import type { Push, RelayReply, RelayRequest, RelayResponse, ToService } from "../../proto/gen/sallyport/relay/v1/relay.ts";
import { SallyportError, unavailable } from "../errors.ts";
import { BatchWriter } from "./batch-writer.ts";
import { Channel, readError } from "./channel.ts";
import type { CallOptions, Invoker } from "./client.ts";
import { relayService } from "./relay-method.ts";
import { fromWireStatus } from "./status.ts";
import type { ChannelTls } from "./tls.ts";

/** What a gateway does with what its relay stream brings. */
export interface RelayListener {
  /** The stream stands. Everything attached through an earlier stream is forgotten at the other end. */
  connected(relay: RelayClient): void;
  disconnected(relay: RelayClient): void;
  /** No stream comes about, and why; said once until one stands. */
  unreachable?(relay: RelayClient, error: SallyportError): void;
  pushed(push: Push): void;
  revoked(sessionId: string): void;
  /** A message waits for the account of a connection, and the copy at the other end is not the one that delivers it. */
  woken?(connection: number): void;
}

interface Waiting {
  readonly resolve: (response: Uint8Array) => void;
  readonly reject: (error: SallyportError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Calls that would wait behind more than this are refused: the service does not keep up. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
const RECONNECT_MS = [50, 100, 200, 400] as const;

/** One relay stream to one copy of a service, opened again whenever it ends. Calls that wait when it ends fail with UNAVAILABLE. */
export class RelayClient implements Invoker, Disposable {
  readonly target: string;
  readonly channel: Channel;
  readonly #incarnation: string;
  readonly #listener: RelayListener;
  readonly #waiting = new Map<number, Waiting>();
  #writer: BatchWriter<ToService> | undefined;
  #connected = false;
  #attempt = 0;
  #isKnownUnreachable = false;
  #lastId = 0;
  #disposed = false;
  #timer: NodeJS.Timeout | undefined;
  #stream: ClientDuplexStream<RelayRequest, RelayResponse> | undefined;

  constructor(target: string, incarnation: string, listener: RelayListener, tls?: ChannelTls) {
    this.target = target;
    this.channel = new Channel(target, tls);
    this.#incarnation = incarnation;
    this.#listener = listener;
    this.#open();
  }

  /** Whether the stream stands. */
  get isConnected(): boolean {
    return this.#connected;
  }

  invoke(method: string, request: Uint8Array, { deadline, caller, isOperator, address, signal }: CallOptions): Promise<Uint8Array> {
    const writer = this.#writer;
    if (writer === undefined || !this.#connected || writer.queuedBytes > MAX_QUEUED_BYTES) {
      return Promise.reject(unavailable("the service cannot be reached", "SERVICE_UNREACHABLE"));
    }
    if (signal?.aborted) {
      return Promise.reject(cancelled());
    }
    return new Promise((resolve, reject) => {
      const id = this.#nextId();
      const timer = setTimeout(() => this.#giveUp(id, "DEADLINE_EXCEEDED"), Math.max(0, deadline - Date.now()));
      this.#waiting.set(id, { resolve, reject, timer });
      signal?.addEventListener("abort", () => this.#giveUp(id, "CANCELLED"), { once: true });
      writer.add({
        kind: {
          $case: "call",
          value: {
            id,
            method,
            request: Buffer.from(request.buffer, request.byteOffset, request.byteLength),
            deadlineUnixMs: Math.round(deadline),
            caller: caller && { ...caller },
            address: address ?? "",
            operator: isOperator ?? false,
          },
        },
      });
    });
  }

  /** Tells the copy that another one has stored a message for an account; lost when there is no stream. */
  wake(accountId: string): void {
    this.#writer?.add({ kind: { $case: "wake", value: { accountId } } });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    this.#stream?.end();
    this.#close();
    this.channel[Symbol.dispose]();
  }

  #open(): void {
    const { path, requestSerialize, responseDeserialize } = relayService.relay;
    const stream = this.channel.grpc.makeBidiStreamRequest<RelayRequest, RelayResponse>(path, requestSerialize, responseDeserialize, {});
    const writer = new BatchWriter<ToService>({ write: (items, written) => stream.write({ items }, written) }, sizeOf);
    this.#stream = stream;
    this.#writer = writer;
    // The server answers the Hello with its headers: only then does the stream stand.
    stream.once("metadata", () => {
      this.#connected = true;
      this.#attempt = 0;
      this.#isKnownUnreachable = false;
      this.#listener.connected(this);
    });
    stream.on("data", (response: RelayResponse) => this.#receive(response));
    stream.on("error", (error: ServiceError) => {
      this.#tellUnreachable(stream, error);
      this.#reopen(stream);
    });
    stream.on("end", () => this.#reopen(stream));
    writer.add({ kind: { $case: "hello", value: { incarnation: this.#incarnation } } });
  }

  #tellUnreachable(stream: ClientDuplexStream<RelayRequest, RelayResponse>, error: ServiceError): void {
    if (stream === this.#stream && !this.#connected && !this.#isKnownUnreachable) {
      this.#isKnownUnreachable = true;
      this.#listener.unreachable?.(this, readError(error));
    }
  }

  #reopen(stream: ClientDuplexStream<RelayRequest, RelayResponse>): void {
    if (stream !== this.#stream) {
      return;
    }
    this.#close();
    if (!this.#disposed) {
      const delay = RECONNECT_MS[Math.min(this.#attempt, RECONNECT_MS.length - 1)] ?? 0;
      this.#attempt += 1;
      this.#timer = setTimeout(() => this.#open(), delay * (0.5 + Math.random() / 2));
    }
  }

  #close(): void {
    const wasConnected = this.#connected;
    this.#connected = false;
    this.#writer = undefined;
    this.#stream = undefined;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(unavailable("the service went away", "SERVICE_LOST"));
    }
    this.#waiting.clear();
    if (wasConnected) {
      this.#listener.disconnected(this);
    }
  }

  #receive({ items }: RelayResponse): void {
    for (const { kind } of items) {
      switch (kind?.$case) {
        case "reply":
          this.#settle(kind.value);
          break;
        case "push":
          this.#listener.pushed(kind.value);
          break;
        case "revoked":
          this.#listener.revoked(kind.value.sessionId);
          break;
        case "wake":
          this.#listener.woken?.(kind.value.connection);
          break;
        case "pong":
        case "leaving":
        case undefined:
          break;
      }
    }
  }

  #settle({ callId, code, response, message, details }: RelayReply): void {
    const waiting = this.#take(callId);
    if (code === 0) {
      waiting?.resolve(response);
    } else {
      waiting?.reject(fromWireStatus({ code, message, details }));
    }
  }

  #giveUp(id: number, status: "DEADLINE_EXCEEDED" | "CANCELLED"): void {
    const waiting = this.#take(id);
    if (waiting !== undefined) {
      this.#writer?.add({ kind: { $case: "cancel", value: { callId: id } } });
      waiting.reject(status === "CANCELLED" ? cancelled() : new SallyportError(status, "the deadline has passed", { reason: status }));
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) {
      this.#waiting.delete(id);
      clearTimeout(waiting.timer);
    }
    return waiting;
  }

  #nextId(): number {
    do {
      this.#lastId = (this.#lastId + 1) >>> 0;
    } while (this.#waiting.has(this.#lastId));
    return this.#lastId;
  }
}

function cancelled(): SallyportError {
  return new SallyportError("CANCELLED", "the call was cancelled", { reason: "CANCELLED" });
}

function sizeOf({ kind }: ToService): number {
  return kind?.$case === "call" ? kind.value.request.length + kind.value.method.length + 160 : 32;
}
