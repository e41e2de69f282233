import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import { isUnixSocket } from "../addresses.ts";
import { SallyportError, StatusCode, type StatusName } from "../errors.ts";
import type { CallOptions, Invoker } from "./client.ts";
import { CHANNEL_OPTIONS, callerMetadata } from "./metadata.ts";
import { fromWireStatus } from "./status.ts";
import type { ChannelTls } from "./tls.ts";

/**
 * One gRPC channel to one target (`host:port`, `dns:///name:port` or `unix:<path>`), for unary calls. Connects when first used, and again
 * after a loss. Unix sockets are plain even with TLS: their file decides who connects, and they have no name that a certificate could bear.
 */
export class Channel implements Invoker, Disposable {
  /** The grpc-js client, for streams beside the unary calls. */
  readonly grpc: Client;
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(target: string, tls?: ChannelTls) {
    const isPlain = tls === undefined || isUnixSocket(target);
    this.grpc = new Client(target, isPlain ? credentials.createInsecure() : tls.channelCredentials, CHANNEL_OPTIONS);
  }

  async invoke(method: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    const answer = this.#call(method, request, options);
    this.#inFlight.add(answer);
    try {
      return await answer;
    } finally {
      this.#inFlight.delete(answer);
    }
  }

  /** Settles when the unary calls that are in flight have ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  /** Whether the target says by a health check that a part of it serves ("": the server itself). */
  async isServing(part: string, deadline: number): Promise<boolean> {
    // grpc.health.v1: HealthCheckRequest{service = 1}, HealthCheckResponse{status = 1}, SERVING = 1.
    const name = Buffer.from(part);
    const request = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
    const response = await this.invoke("/grpc.health.v1.Health/Check", request, { deadline });
    return response[0] === 0x08 && response[1] === 1;
  }

  [Symbol.dispose](): void {
    this.grpc.close();
  }

  #call(method: string, request: Uint8Array, { deadline, signal, ...from }: CallOptions): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const call = this.grpc.makeUnaryRequest(
        method,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => bytes,
        request,
        callerMetadata(from),
        { deadline },
        (error, response) => (error ? reject(readError(error)) : resolve(response ?? Buffer.alloc(0))),
      );
      signal?.addEventListener("abort", () => call.cancel(), { once: true });
      if (signal?.aborted) {
        call.cancel();
      }
    });
  }
}

/** What an error of grpc-js says. */
export function readError(error: ServiceError): SallyportError {
  const details = error.metadata?.get("grpc-status-details-bin")[0];
  if (details instanceof Buffer) {
    return fromWireStatus(Status.decode(details));
  }
  // Not an answer of ours but grpc-js's own: its text names addresses.
  const known = OWN_ERRORS.get(error.code);
  return new SallyportError(known?.status ?? "INTERNAL", known?.message ?? "internal error", {
    reason: known?.reason ?? "INTERNAL",
    cause: error,
  });
}

const OWN_ERRORS: ReadonlyMap<number, { status: StatusName; message: string; reason: string }> = new Map([
  [StatusCode.UNAVAILABLE, { status: "UNAVAILABLE", message: "the service cannot be reached", reason: "SERVICE_UNREACHABLE" }],
  [StatusCode.DEADLINE_EXCEEDED, { status: "DEADLINE_EXCEEDED", message: "the deadline has passed", reason: "DEADLINE_EXCEEDED" }],
  [StatusCode.CANCELLED, { status: "CANCELLED", message: "the call was cancelled", reason: "CANCELLED" }],
  [StatusCode.UNIMPLEMENTED, { status: "UNIMPLEMENTED", message: "no such method", reason: "METHOD_UNKNOWN" }],
]);
