import { Metadata, type ServerDuplexStream } from "@grpc/grpc-js";
import type { Event } from "../../proto/gen/sallyport/gateway/v1/events.ts";
import type { RelayCall, RelayRequest, RelayResponse, ToGateway } from "../../proto/gen/sallyport/relay/v1/relay.ts";
import { SallyportError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { answer, type Outcome } from "./answer.ts";
import { BatchWriter } from "./batch-writer.ts";
import type { Call, Caller, GatewayPeer, Implementation } from "./call.ts";
import type { Peer } from "./peer.ts";
import { toWireStatus } from "./status.ts";

/** What a service does when a gateway's stream begins and ends. */
export interface RelayObserver {
  gatewayJoined(gateway: GatewayPeer): void;
  gatewayLeft(gateway: GatewayPeer): void;
  /** Another copy has stored a message for an account whose events this one delivers. */
  woken?(accountId: string): void;
}

/**
 * Serves one relay stream until it ends. A stream whose first item is no Hello, or that has a second Hello, is ended. The calls on it are held
 * to the peer's roles like all others.
 */
export function serveRelay(
  stream: ServerDuplexStream<RelayRequest, RelayResponse>,
  implementations: ReadonlyMap<string, Implementation>,
  observer: RelayObserver,
  peer: Peer,
  logger: Logger,
): void {
  const writer = new BatchWriter<ToGateway>({ write: (items, written) => stream.write({ items }, written) }, sizeOf);
  const running = new Map<number, RelayedCall>();
  let gateway: GatewayPeer | undefined;
  let isOver = false;

  const serve = async (call: RelayCall, from: GatewayPeer): Promise<void> => {
    const implementation = implementations.get(call.method);
    const context = new RelayedCall(call, from);
    running.set(call.id, context);
    const outcome = implementation ? await answer(implementation, call.request, context, peer, logger) : unknownMethod();
    running.delete(call.id);
    context.settle();
    writer.add({ kind: { $case: "reply", value: toReply(call.id, outcome) } });
  };

  const leave = (): void => {
    isOver = true;
    for (const call of running.values()) {
      call.abort();
    }
    running.clear();
    if (gateway !== undefined) {
      observer.gatewayLeft(gateway);
      gateway = undefined;
    }
  };

  stream.on("data", ({ items }: RelayRequest) => {
    for (const { kind } of items) {
      if (isOver) {
        return;
      }
      if ((kind?.$case === "hello") === (gateway !== undefined)) {
        leave();
        stream.end();
      } else if (kind?.$case === "hello") {
        gateway = createPeer(kind.value.incarnation, writer);
        observer.gatewayJoined(gateway);
        // The gateway takes the headers as the answer to its Hello.
        stream.sendMetadata(new Metadata());
      } else if (kind?.$case === "call" && gateway !== undefined) {
        void serve(kind.value, gateway);
      } else if (kind?.$case === "cancel") {
        running.get(kind.value.callId)?.abort();
      } else if (kind?.$case === "wake") {
        observer.woken?.(kind.value.accountId);
      }
    }
  });
  stream.on("end", () => {
    leave();
    stream.end();
  });
  stream.on("cancelled", leave);
  stream.on("error", leave);
}

function createPeer(incarnation: string, writer: BatchWriter<ToGateway>): GatewayPeer {
  return {
    incarnation,
    push: (connection: number, epoch: number, event: Event) => writer.add({ kind: { $case: "push", value: { connection, epoch, event } } }),
    revoke: (sessionId: string) => writer.add({ kind: { $case: "revoked", value: { sessionId } } }),
    wake: (connection: number) => writer.add({ kind: { $case: "wake", value: { connection } } }),
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
