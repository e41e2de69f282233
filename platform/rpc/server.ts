import { setTimeout as sleep } from "node:timers/promises";
import { type handleUnaryCall, Server, ServerCredentials, type ServerDuplexStream, type ServerUnaryCall } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { RelayRequest, RelayResponse } from "../../proto/gen/sallyport/relay/v1/relay.ts";
import { isUnixSocket } from "../addresses.ts";
import { createCallMetrics } from "../call-metrics.ts";
import { newUuid } from "../ids.ts";
import type { Running } from "../lifecycle.ts";
import type { Logger } from "../logger.ts";
import { Metrics } from "../metrics.ts";
import { answer } from "./answer.ts";
import type { Call, Implementation } from "./call.ts";
import { CHANNEL_OPTIONS, readCaller, toServiceStatus } from "./metadata.ts";
import { localPeer, type Peer, peerNotAllowed, readPeer } from "./peer.ts";
import { addReflection } from "./reflection.ts";
import { relayService } from "./relay-method.ts";
import { type RelayObserver, serveRelay } from "./relay-server.ts";
import { RelayStreams } from "./relay-streams.ts";
import { toWireStatus } from "./status.ts";
import type { InternalTls } from "./tls.ts";

/** What a service offers, and where. */
export interface RpcServerConfig {
  /** `host:port` (port 0: any that is free) or `unix:<path>`. */
  readonly listen: string;
  /** The variable that says so. */
  readonly variable?: string;
  /** The id of this run of this process, which gateways tell copies apart by; by default a new one. */
  readonly copy?: string;
  readonly implementations: readonly Implementation[];
  readonly observer: RelayObserver;
  /** What a server over TCP listens with: whoever connects shows a certificate, and is held to its roles. Undefined: plain. */
  readonly tls?: InternalTls | undefined;
  /** Whether it says what it offers (gRPC server reflection). */
  readonly reflects?: boolean;
  /** What calls are counted in. */
  readonly metrics?: Metrics;
}

/** A gRPC server that answers. */
export interface RpcServer extends Running {
  /** Says by gRPC health checks whether the part answers; the server itself is the part "". */
  setHealth(part: string, serving: boolean): void;
  /**
   * Takes its leave: says by health checks that it does not serve, tells the gateways, which go elsewhere and end their streams when their calls have
   * ended, and then takes no further call. Settles when all calls have ended, after 5 s at the latest.
   */
  drain(): Promise<void>;
}

/** More calls than that on one connection wait at its client's. */
const MAX_STREAMS = 256;
/** More than gateways take to end their streams. */
const DRAIN_MS = 5_000;

/**
 * Starts a gRPC server: every method as a unary call and on the relay stream, with the same handlers, health checks
 * (grpc.health.v1), and reflection where it is asked for. @throws Error when the address cannot be listened on.
 */
export async function startRpcServer({ listen, tls, observer, ...offer }: RpcServerConfig, logger: Logger): Promise<RpcServer> {
  const server = new Server({ ...CHANNEL_OPTIONS, "grpc.max_concurrent_streams": MAX_STREAMS });
  // Unix sockets are plain even with TLS: see Channel.
  const serverTls = isUnixSocket(listen) ? undefined : tls;
  const peerOf = (call: Connected): Peer => (serverTls === undefined ? localPeer : readPeer(call.getAuthContext().sslPeerCertificate));
  const implementations = counting(offer);
  const byPath = new Map(implementations.map((implementation) => [implementation.method.path, implementation]));
  const streams = new RelayStreams();
  const relay = { copy: offer.copy ?? newUuid(), implementations: byPath, observer, streams, logger };
  for (const implementation of implementations) {
    server.register(implementation.method.path, unary(implementation, peerOf, logger), encodeBytes, decodeBytes, "unary");
  }
  server.addService(relayService, {
    relay: (stream: ServerDuplexStream<RelayRequest, RelayResponse>) => {
      const peer = peerOf(stream);
      if (peer.mayBe("gateway")) {
        serveRelay(stream, relay, peer);
      } else {
        stream.emit("error", toServiceStatus(toWireStatus(peerNotAllowed())));
      }
    },
  });
  if (offer.reflects === true) {
    addReflection(server, [...new Set([...byPath.keys()].map((path) => path.split("/")[1] ?? ""))]);
  }
  const health = new HealthImplementation({ "": "SERVING" });
  health.addToServer(server);

  const credentials = serverTls?.serverCredentials ?? ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, bound) =>
      error ? reject(new Error(`${offer.variable ?? "listen"}: cannot listen on ${listen}`, { cause: error })) : resolve(bound),
    );
  });
  return {
    address: listen.startsWith("unix:") ? listen : `${listen.slice(0, listen.lastIndexOf(":"))}:${port}`,
    setHealth: (part, serving) => health.setStatus(part, serving ? "SERVING" : "NOT_SERVING"),
    drain: async () => {
      health.setStatus("", "NOT_SERVING");
      const over = new AbortController();
      const late = sleep(DRAIN_MS, undefined, { signal: over.signal }).catch(() => undefined);
      await Promise.race([streams.leave().then(() => endCalls(server)), late]);
      over.abort();
    },
    [Symbol.asyncDispose]: async () => {
      server.forceShutdown();
    },
  };
}

/** Takes no further call or connection; settles when those that stand have ended. */
function endCalls(server: Server): Promise<void> {
  return new Promise((resolve) => server.tryShutdown(() => resolve()));
}

function counting({
  implementations,
  metrics = new Metrics(),
}: Pick<RpcServerConfig, "implementations" | "metrics">): readonly Implementation[] {
  const paths = implementations.map(({ method }) => method.path);
  const calls = createCallMetrics(metrics, "sallyport_rpc_calls", "Calls of other processes", paths);
  return implementations.map((implementation) => ({ ...implementation, calls }));
}

/** What grpc-js's calls of all kinds have. */
type Connected = Pick<ServerUnaryCall<Buffer, Buffer>, "getAuthContext">;

function unary(implementation: Implementation, peerOf: (call: Connected) => Peer, logger: Logger): handleUnaryCall<Buffer, Buffer> {
  return (grpcCall, callback) => {
    const controller = new AbortController();
    grpcCall.on("cancelled", () => controller.abort());
    void answer(implementation, grpcCall.request, unaryCall(grpcCall, controller.signal), peerOf(grpcCall), logger).then((outcome) => {
      if ("response" in outcome) {
        callback(null, Buffer.from(outcome.response));
        return;
      }
      callback(toServiceStatus(outcome.status));
    });
  };
}

function unaryCall(grpcCall: ServerUnaryCall<Buffer, Buffer>, signal: AbortSignal): Call {
  const deadline = Number(grpcCall.getDeadline());
  return { ...readCaller(grpcCall.metadata), deadline, signal, gateway: undefined };
}

function encodeBytes(bytes: Buffer): Buffer {
  return bytes;
}

function decodeBytes(bytes: Buffer): Buffer {
  return bytes;
}
