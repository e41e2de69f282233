import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import { isUnixSocket } from "../addresses.ts";
import { SallyportError, StatusCode, type StatusName, unavailable } from "../errors.ts";
import type { CancelSignal } from "./call-signal.ts";
import type { CallOptions, Invoker } from "./client.ts";
import { CHANNEL_OPTIONS, callerMetadata } from "./metadata.ts";
import { fromWireStatus } from "./status.ts";
import type { ChannelTls } from "./tls.ts";
import { cancelled } from "./waiting-calls.ts";

/**
 * One gRPC channel to one copy (at `host:port` or `unix:<path>`), for unary calls. Connects when first used, and again after a loss. Unix sockets are plain even with TLS: their file decides who connects, and they have no name that a certificate could bear.
 */
export class Channel implements Invoker, Disposable {
  /** The grpc-js client, for streams beside the unary calls. */
  readonly grpc: Client;
  readonly #inFlight = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(target: string, tls?: ChannelTls) {
    const isPlain = tls === undefined || isUnixSocket(target);
    this.grpc = new Client(target, isPlain ? credentials.createInsecure() : tls.channelCredentials, CHANNEL_OPTIONS);
  }

  async invoke(method: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    if (this.#isClosed) {
      throw unavailable("the service cannot be reached", "SERVICE_UNREACHABLE");
    }
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
    this.#isClosed = true;
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
        (error, response) => (error ? reject(readFailure(error, signal)) : resolve(response ?? Buffer.alloc(0))),
      );
      signal?.addEventListener("abort", () => call.cancel(), { once: true });
      if (signal?.aborted) {
        call.cancel();
      }
    });
  }
}

/** What a call failed with: its caller's own wish, or an error. */
function readFailure(error: ServiceError, signal: CancelSignal | undefined): SallyportError {
  return signal?.aborted && error.code === StatusCode.CANCELLED ? cancelled() : readError(error);
}

/** What an error of grpc-js says that nobody on this side has asked for. */
export function readError(error: ServiceError): SallyportError {
  const details = error.metadata?.get("grpc-status-details-bin")[0];
  if (details instanceof Buffer) {
    return fromWireStatus(Status.decode(details));
  }
  // Not an answer of ours but grpc-js's own: its text names addresses.
  const known = TOO_LARGE.test(error.details) ? undefined : OWN_ERRORS.get(error.code);
  return new SallyportError(known?.status ?? "INTERNAL", known?.message ?? "internal error", {
    reason: known?.reason ?? "INTERNAL",
    cause: error,
  });
}

interface OwnError {
  readonly status: StatusName;
  readonly message: string;
  readonly reason: string;
}

const UNREACHABLE: OwnError = { status: "UNAVAILABLE", message: "the service cannot be reached", reason: "SERVICE_UNREACHABLE" };
/** The other end or the connection has ended the call, without an answer. */
const LOST: OwnError = { status: "UNAVAILABLE", message: "the service went away", reason: "SERVICE_LOST" };

/** What the other end says by resetting the call's stream comes under several codes. */
const OWN_ERRORS: ReadonlyMap<number, OwnError> = new Map([
  [StatusCode.UNAVAILABLE, UNREACHABLE],
  [StatusCode.CANCELLED, LOST],
  [StatusCode.INTERNAL, LOST],
  [StatusCode.RESOURCE_EXHAUSTED, LOST],
  [StatusCode.DEADLINE_EXCEEDED, { status: "DEADLINE_EXCEEDED", message: "the deadline has passed", reason: "DEADLINE_EXCEEDED" }],
  [StatusCode.UNIMPLEMENTED, { status: "UNIMPLEMENTED", message: "no such method", reason: "METHOD_UNKNOWN" }],
]);

/** A request or response beyond the limits of CHANNEL_OPTIONS is a fault of ours, whoever found it, and stays one when it is repeated. */
const TOO_LARGE = /\blarger than\b/;
