import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { Event } from "../../proto/gen/sallyport/gateway/v1/events.ts";
import type { RelayCall, RelayRequest, RelayResponse, ToGateway, ToService } from "../../proto/gen/sallyport/relay/v1/relay.ts";
import { SallyportError, unavailable } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { answer, type Outcome } from "./answer.ts";
import { BatchWriter } from "./batch-writer.ts";
import type { Call, Caller, GatewayPeer, Implementation } from "./call.ts";
import { copyMetadata, toServiceStatus } from "./metadata.ts";
import type { Peer } from "./peer.ts";
import type { RelayStreams } from "./relay-streams.ts";
import { toWireStatus } from "./status.ts";

/** What a service does when a gateway's stream begins and ends. */
export interface RelayObserver {
  gatewayJoined(gateway: GatewayPeer): void;
  gatewayLeft(gateway: GatewayPeer): void;
  /** Another copy has stored a message for an account whose events this one delivers. */
  woken?(accountId: string): void;
}

/** What all relay streams of a server share. */
export interface RelayService {
  /** The id of this run of this process. */
  readonly copy: string;
  readonly implementations: ReadonlyMap<string, Implementation>;
  readonly observer: RelayObserver;
  readonly streams: RelayStreams;
  readonly logger: Logger;
}

/**
 * Serves one relay stream until it ends. A stream whose first item is no Hello, or that has a second Hello, is ended; one that comes when the
 * server stops is refused. The calls on it are held to the peer's roles like all others.
 */
export function serveRelay(stream: RelayStream, service: RelayService, peer: Peer): void {
  const served = new ServedRelay(stream, service, peer);
  stream.on("data", ({ items }: RelayRequest) => served.receive(items));
  stream.on("end", () => served.end());
  stream.on("cancelled", () => served.leave());
  stream.on("error", () => served.leave());
}

type RelayStream = ServerDuplexStream<RelayRequest, RelayResponse>;

/** One relay stream, from its Hello to its end. */
class ServedRelay {
  readonly #stream: RelayStream;
  readonly #service: RelayService;
  readonly #peer: Peer;
  readonly #writer = new BatchWriter<ToGateway>({ write: (items, written) => this.#write(items, written) }, sizeOf);
  readonly #tellLeaving = (): void => this.#writer.add({ kind: { $case: "leaving", value: {} } });
  readonly #running = new Map<number, RelayedCall>();
  #state: { readonly stage: "new" } | { readonly stage: "open"; readonly gateway: GatewayPeer } | { readonly stage: "over" } = {
    stage: "new",
  };

  constructor(stream: RelayStream, service: RelayService, peer: Peer) {
    this.#stream = stream;
    this.#service = service;
    this.#peer = peer;
  }

  receive(items: readonly ToService[]): void {
    for (const { kind } of items) {
      if (this.#state.stage === "open") {
        this.#act(kind, this.#state.gateway);
      } else if (this.#state.stage === "new") {
        this.#begin(kind);
      }
    }
  }

  end(): void {
    this.leave();
    this.#stream.end();
  }

  /** The stream is over: its calls are aborted, what it held is forgotten. */
  leave(): void {
    const state = this.#state;
    this.#state = { stage: "over" };
    for (const call of this.#running.values()) {
      call.abort();
    }
    this.#running.clear();
    if (state.stage === "open") {
      this.#service.observer.gatewayLeft(state.gateway);
      this.#service.streams.remove(this.#tellLeaving);
    }
  }

  #begin(kind: ToService["kind"]): void {
    const { copy, observer, streams } = this.#service;
    if (kind?.$case !== "hello") {
      this.end();
    } else if (streams.isLeaving) {
      this.leave();
      this.#stream.emit("error", toServiceStatus(toWireStatus(unavailable("the service is stopping", "STOPPING"))));
    } else if (!this.#isService(kind.value.service)) {
      this.leave();
      this.#stream.emit("error", toServiceStatus(toWireStatus(wrongService())));
    } else {
      const gateway = createPeer(kind.value.incarnation, this.#writer);
      this.#state = { stage: "open", gateway };
      observer.gatewayJoined(gateway);
      streams.add(this.#tellLeaving);
      // The gateway takes the headers as the answer to its Hello.
      this.#stream.sendMetadata(copyMetadata(copy));
    }
  }

  #isService(expected: string): boolean {
    return expected === "" || [...this.#service.implementations.keys()].some((path) => path.startsWith(`/sallyport.${expected}.v1.`));
  }

  #act(kind: ToService["kind"], gateway: GatewayPeer): void {
    switch (kind?.$case) {
      case "hello":
        this.end();
        break;
      case "call":
        void this.#serve(kind.value, gateway);
        break;
      case "cancel":
        this.#running.get(kind.value.callId)?.abort();
        break;
      case "ping":
        this.#writer.add({ kind: { $case: "pong", value: {} } });
        break;
      case "wake":
        this.#service.observer.woken?.(kind.value.accountId);
        break;
      case undefined:
        break;
    }
  }

  async #serve(call: RelayCall, from: GatewayPeer): Promise<void> {
    const { implementations, logger } = this.#service;
    const implementation = implementations.get(call.method);
    const context = new RelayedCall(call, from);
    this.#running.set(call.id, context);
    const outcome = implementation ? await answer(implementation, call.request, context, this.#peer, logger) : unknownMethod();
    this.#running.delete(call.id);
    context.settle();
    this.#writer.add({ kind: { $case: "reply", value: toReply(call.id, outcome) } });
  }

  #write(items: ToGateway[], written: () => void): void {
    if (this.#state.stage === "over") {
      // Dropped: a stream that has ended takes nothing.
      written();
    } else {
      this.#stream.write({ items }, written);
    }
  }
}

function wrongService(): SallyportError {
  return new SallyportError("FAILED_PRECONDITION", "another service is at this target", { reason: "WRONG_SERVICE" });
}

function createPeer(incarnation: string, writer: BatchWriter<ToGateway>): GatewayPeer {
  return {
    incarnation,
    push: (connection: number, epoch: number, event: Event) => writer.add({ kind: { $case: "push", value: { connection, epoch, event } } }),
    revoke: (sessionId: string) => writer.add({ kind: { $case: "revoked", value: { sessionId } } }),
    wake: (connection: number) => writer.add({ kind: { $case: "wake", value: { connection, copy: "", accountId: "" } } }),
    wakeAt: (copy: string, accountId: string) => writer.add({ kind: { $case: "wake", value: { connection: 0, copy, accountId } } }),
  };
}

/** A call off the stream. Its signal and its timer are made only when a handler asks for the signal. */
class RelayedCall implements Call {
  readonly caller: Caller | undefined;
  readonly isOperator: boolean;
  readonly address: string;
  readonly deadline: number;
  readonly gateway: GatewayPeer;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #aborted = false;

  constructor(call: RelayCall, gateway: GatewayPeer) {
    this.caller = call.caller as Caller | undefined;
    this.isOperator = call.operator;
    this.address = call.address;
    this.deadline = call.deadlineUnixMs;
    this.gateway = gateway;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) {
        this.#controller.abort();
      } else {
        this.#timer = setTimeout(() => this.abort(), Math.max(0, this.deadline - Date.now()));
      }
    }
    return this.#controller.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
    clearTimeout(this.#timer);
  }

  settle(): void {
    clearTimeout(this.#timer);
  }
}

function unknownMethod(): Outcome {
  return { status: toWireStatus(new SallyportError("UNIMPLEMENTED", "no such method", { reason: "METHOD_UNKNOWN" })) };
}

function toReply(callId: number, outcome: Outcome): { callId: number; code: number; response: Buffer; message: string; details: [] } {
  if ("response" in outcome) {
    const { response } = outcome;
    return { callId, code: 0, response: Buffer.from(response.buffer, response.byteOffset, response.byteLength), message: "", details: [] };
  }
  return { callId, response: Buffer.alloc(0), ...(outcome.status as { code: number; message: string; details: [] }) };
}

function sizeOf({ kind }: ToGateway): number {
  if (kind?.$case === "reply") {
    return kind.value.response.length + 64;
  }
  const event = kind?.$case === "push" ? kind.value.event?.kind : undefined;
  return event?.$case === "message" ? event.value.body.length + event.value.receipt.length + 192 : 128;
}
