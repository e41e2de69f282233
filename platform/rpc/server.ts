import { type handleUnaryCall, Metadata, Server, ServerCredentials, type ServerDuplexStream, type ServerUnaryCall } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import type { RelayRequest, RelayResponse } from "../../proto/gen/sallyport/relay/v1/relay.ts";
import type { Running } from "../lifecycle.ts";
import type { Logger } from "../logger.ts";
import { answer } from "./answer.ts";
import type { Call, Implementation } from "./call.ts";
import { CHANNEL_OPTIONS, readCaller } from "./metadata.ts";
import { relayService } from "./relay-method.ts";
import { type RelayObserver, serveRelay } from "./relay-server.ts";

/** What a service offers, and where. */
export interface RpcServerConfig {
  /** `host:port` (port 0: any that is free) or `unix:<path>`. */
  readonly listen: string;
  readonly implementations: readonly Implementation[];
  readonly observer: RelayObserver;
}

/** A gRPC server that answers. */
export interface RpcServer extends Running {
  /** Says by gRPC health checks whether the part answers; the server itself is the part "". */
  setHealth(part: string, serving: boolean): void;
}

/**
 * Starts a gRPC server: every method as a unary call and on the relay stream, with the same handlers, and health checks
 * (grpc.health.v1). @throws Error when the address cannot be listened on.
 */
export async function startRpcServer({ listen, implementations, observer }: RpcServerConfig, logger: Logger): Promise<RpcServer> {
  const server = new Server(CHANNEL_OPTIONS);
  const byPath = new Map(implementations.map((implementation) => [implementation.method.path, implementation]));
  for (const implementation of implementations) {
    server.register(implementation.method.path, unary(implementation, logger), encodeBytes, decodeBytes, "unary");
  }
  server.addService(relayService, {
    relay: (stream: ServerDuplexStream<RelayRequest, RelayResponse>) => serveRelay(stream, byPath, observer, logger),
  });
  const health = new HealthImplementation({ "": "SERVING" });
  health.addToServer(server);

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(listen, ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return {
    address: listen.startsWith("unix:") ? listen : `${listen.slice(0, listen.lastIndexOf(":"))}:${port}`,
    setHealth: (part, serving) => health.setStatus(part, serving ? "SERVING" : "NOT_SERVING"),
    [Symbol.asyncDispose]: async () => {
      server.forceShutdown();
    },
  };
}

function unary(implementation: Implementation, logger: Logger): handleUnaryCall<Buffer, Buffer> {
  return (grpcCall, callback) => {
    const controller = new AbortController();
    grpcCall.on("cancelled", () => controller.abort());
    void answer(implementation, grpcCall.request, unaryCall(grpcCall, controller.signal), logger).then((outcome) => {
      if ("response" in outcome) {
        callback(null, Buffer.from(outcome.response));
        return;
      }
      const metadata = new Metadata();
      metadata.set("grpc-status-details-bin", Buffer.from(Status.encode(outcome.status).finish()));
      callback({ code: outcome.status.code, details: outcome.status.message, metadata });
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
