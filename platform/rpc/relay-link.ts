import type { ClientDuplexStream, Metadata, ServiceError } from "@grpc/grpc-js";
import type { Hello, Push, RelayRequest, RelayResponse, ToService, Wake } from "../../proto/gen/sallyport/relay/v1/relay.ts";
import { type SallyportError, unavailable } from "../errors.ts";
import { BatchWriter } from "./batch-writer.ts";
import { type Channel, readError } from "./channel.ts";
import type { CallOptions, Invoker } from "./client.ts";
import { readCopy } from "./metadata.ts";
import { relayService } from "./relay-method.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { cancelled, WaitingCalls } from "./waiting-calls.ts";

/** What happens on one relay stream. */
export interface LinkListener {
  /** The other end has answered. */
  stands(): void;
  /** The copy at the other end stops: the stream is kept until what this answers has settled. */
  leaving(): unknown;
  /** It is over; the error where there is one. Told once. */
  ended(error?: SallyportError): void;
  /** It stood, and was given up because nothing came any more; it ends. */
  silent(): void;
  pushed(push: Push): void;
  revoked(sessionId: string): void;
  woken(connection: number): void;
  wokenAt(copy: string, accountId: string): void;
}

/** Calls that would wait behind more than this are refused: the service does not keep up. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
/** So long the calls in flight at a copy that stops may take; the copy waits a little longer. */
const LEAVE_MS = 3_000;

/** One relay stream to a copy of a service, from its opening to its end. Calls that wait then fail with UNAVAILABLE. */
export class RelayLink implements Invoker {
  readonly #channel: Channel;
  readonly #listener: LinkListener;
  readonly #stream: ClientDuplexStream<RelayRequest, RelayResponse>;
  readonly #writer: BatchWriter<ToService>;
  readonly #waiting: WaitingCalls;
  readonly #silence: SilenceWatch;
  #stage: "opening" | "standing" | "leaving" | "over" = "opening";
  #copy = "";
  /** What the listener makes of the leave-taking, once it has begun. */
  #told: unknown;
  #leaveTimer: NodeJS.Timeout | undefined;

  constructor(channel: Channel, hello: Hello, listener: LinkListener, tickMs?: number) {
    const { path, requestSerialize, responseDeserialize } = relayService.relay;
    const stream = channel.grpc.makeBidiStreamRequest<RelayRequest, RelayResponse>(path, requestSerialize, responseDeserialize, {});
    this.#channel = channel;
    this.#listener = listener;
    this.#stream = stream;
    this.#writer = new BatchWriter<ToService>({ write: (items, written) => this.#write(items, written) }, sizeOf);
    this.#waiting = new WaitingCalls((callId) => this.#writer.add({ kind: { $case: "cancel", value: { callId } } }));
    this.#silence = new SilenceWatch({ ask: () => this.#ask(), silent: () => this.#giveUp() }, tickMs);
    // The server answers the Hello with its headers: only then does the stream stand.
    stream.once("metadata", (metadata: Metadata) => this.#stand(metadata));
    stream.on("data", (response: RelayResponse) => this.#receive(response));
    stream.on("error", (error: ServiceError) => this.#end(readError(error)));
    stream.on("end", () => this.#end());
    this.#writer.add({ kind: { $case: "hello", value: { ...hello } } });
  }

  /** The run of the process at the other end, while the stream stands; empty when it does not say. */
  get copy(): string | undefined {
    return this.#stage === "standing" || this.#stage === "leaving" ? this.#copy : undefined;
  }

  get isLeaving(): boolean {
    return this.#stage === "leaving";
  }

  invoke(method: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    const { deadline, caller, isOperator, address, signal } = options;
    if (this.copy === undefined || this.#writer.queuedBytes > MAX_QUEUED_BYTES) {
      return Promise.reject(unavailable("the service cannot be reached", "SERVICE_UNREACHABLE"));
    }
    if (signal?.aborted) {
      return Promise.reject(cancelled());
    }
    const { id, response } = this.#waiting.begin(options);
    this.#writer.add({
      kind: {
        $case: "call",
        value: {
          id,
          method,
          request: Buffer.from(request.buffer, request.byteOffset, request.byteLength),
          deadlineUnixMs: Math.round(deadline),
          caller,
          address: address ?? "",
          operator: isOperator ?? false,
        },
      },
    });
    return response;
  }

  /** Tells the copy that another one has stored a message for an account; lost when the stream is over. */
  wake(accountId: string): void {
    this.#writer.add({ kind: { $case: "wake", value: { accountId } } });
  }

  /** Has new calls go elsewhere, and ends when those in flight have ended. Settles then. One that is asked for again waits with the first. */
  async leave(): Promise<void> {
    if (this.#stage === "standing") {
      this.#stage = "leaving";
      this.#told = this.#listener.leaving();
    }
    await this.#told;
    if (this.#stage === "leaving") {
      await Promise.all([this.#waiting.none(), this.#channel.idle()]);
    }
    this.end();
  }

  /** Ends at once. */
  end(): void {
    if (this.#stage === "opening") {
      this.#stream.cancel();
    } else if (this.#stage !== "over") {
      this.#stream.end();
    }
    this.#end();
  }

  #wake({ connection, copy, accountId }: Wake): void {
    if (copy === "") {
      this.#listener.woken(connection);
    } else {
      this.#listener.wokenAt(copy, accountId);
    }
  }

  /** After the replies of the same message: they are on their way to a socket that this may close. */
  #revoke(sessionId: string, hasReplied: boolean): void {
    const tell = (): void => this.#listener.revoked(sessionId);
    if (hasReplied) {
      setImmediate(tell);
    } else {
      tell();
    }
  }

  #stand(metadata: Metadata): void {
    if (this.#stage === "opening") {
      this.#silence.heard();
      this.#copy = readCopy(metadata);
      this.#stage = "standing";
      this.#listener.stands();
    }
  }

  #ask(): void {
    if (this.#stage !== "opening") {
      this.#writer.add({ kind: { $case: "ping", value: {} } });
    }
  }

  #giveUp(): void {
    if (this.copy !== undefined) {
      this.#listener.silent();
    }
    this.#stream.cancel();
    this.#end(unavailable("the service does not answer", "SERVICE_SILENT"));
  }

  #end(error?: SallyportError): void {
    if (this.#stage === "over") {
      return;
    }
    this.#stage = "over";
    clearTimeout(this.#leaveTimer);
    this.#silence[Symbol.dispose]();
    this.#waiting.failAll(unavailable("the service went away", "SERVICE_LOST"));
    this.#listener.ended(error);
  }

  #write(items: ToService[], written: () => void): void {
    if (this.#stage === "over") {
      // Dropped: a stream that has ended takes nothing.
      written();
    } else {
      this.#stream.write({ items }, written);
    }
  }

  #receive({ items }: RelayResponse): void {
    this.#silence.heard();
    let hasReplied = false;
    for (const { kind } of items) {
      if (this.#stage === "over") {
        return;
      }
      switch (kind?.$case) {
        case "reply":
          this.#waiting.settle(kind.value);
          hasReplied = true;
          break;
        case "push":
          this.#listener.pushed(kind.value);
          break;
        case "revoked":
          this.#revoke(kind.value.sessionId, hasReplied);
          break;
        case "wake":
          this.#wake(kind.value);
          break;
        case "leaving":
          this.#leaveTimer ??= setTimeout(() => this.end(), LEAVE_MS);
          void this.leave();
          break;
        case "pong":
        case undefined:
          break;
      }
    }
  }
}

function sizeOf({ kind }: ToService): number {
  return kind?.$case === "call" ? kind.value.request.length + kind.value.method.length + 160 : 32;
}
