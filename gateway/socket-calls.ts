import { SallyportError, toSallyportError, unavailable } from "../platform/errors.ts";
import type { Caller } from "../platform/rpc/call.ts";
import { CallSignal } from "../platform/rpc/call-signal.ts";
import { toWireStatus } from "../platform/rpc/status.ts";
import type { Confirmation } from "./confirmation.ts";
import type { GatewayContext } from "./context.ts";
import type { Grant } from "./exchange.ts";
import { forward, publicMethod, type ServedMethod } from "./forward.ts";
import { type CallFrame, encodeFailure, encodeResponse } from "./frames.ts";

/** Calls of one socket that may wait for their replies at a time. */
const MAX_CALLS_IN_FLIGHT = 64;
/** While more than this waits for the client to read, no further call is served. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** How long a call may take when it does not say. */
export const DEFAULT_TIMEOUT_MS = 10_000;
/** How long a call may take at most. */
export const MAX_TIMEOUT_MS = 60_000;

/** Where the replies go. */
export interface ReplySink {
  /** What waits for the client to read. */
  readonly bufferedBytes: number;
  sendBinary(frame: Uint8Array): void;
}

/** The calls of one socket, from their frames to their replies. */
export class SocketCalls {
  readonly #context: GatewayContext;
  readonly #grants: readonly Grant[];
  readonly #address: string;
  readonly #confirmation: Confirmation;
  readonly #sink: ReplySink;
  readonly #inFlight = new Map<number, CallSignal>();
  #finished: (() => void) | undefined;

  constructor(
    context: GatewayContext,
    socket: { readonly grants: readonly Grant[]; readonly address: string; readonly confirmation: Confirmation },
    sink: ReplySink,
  ) {
    this.#context = context;
    this.#grants = socket.grants;
    this.#address = socket.address;
    this.#confirmation = socket.confirmation;
    this.#sink = sink;
  }

  /** Serves a call. Whatever is wrong with it fails the call, never the socket. */
  start(frame: CallFrame): void {
    const refused = this.#refusal(frame.id);
    if (refused !== undefined) {
      this.#context.events.callAnswered("socket", frame.method, refused.status, performance.now());
      this.#confirmation.whenDurable(() => this.#sink.sendBinary(encodeFailure(frame.id, toWireStatus(refused))));
      return;
    }
    const { id, method: path } = frame;
    const signal = new CallSignal();
    this.#inFlight.set(id, signal);
    const startedAt = performance.now();
    this.#forward(frame, signal).then(
      (response) => {
        this.#context.events.callAnswered("socket", path, "OK", startedAt);
        this.#reply(id, encodeResponse(id, response));
      },
      (thrown: unknown) => {
        const error = toSallyportError(thrown);
        if (error !== thrown) {
          this.#context.events.handlingFailed("socket", thrown);
        }
        this.#context.events.callAnswered("socket", path, error.status, startedAt);
        this.#reply(id, encodeFailure(id, toWireStatus(error)));
      },
    );
  }

  /** Serves no further calls, and tells once those in flight have their replies: at once when there are none. */
  finish(finished: () => void): void {
    this.#finished = finished;
    this.#tellFinished();
  }

  /** The client no longer wants a reply: the call ends with CANCELLED, unless it has ended already. */
  cancel(callId: number): void {
    this.#inFlight.get(callId)?.abort();
  }

  /** The socket has closed. */
  cancelAll(): void {
    for (const signal of this.#inFlight.values()) {
      signal.abort();
    }
    this.#inFlight.clear();
  }

  #tellFinished(): void {
    if (this.#inFlight.size === 0) {
      this.#finished?.();
    }
  }

  #refusal(id: number): SallyportError | undefined {
    if (this.#finished !== undefined) {
      return unavailable("this gateway is about to close the socket", "GATEWAY_DRAINING");
    }
    if (this.#inFlight.has(id)) {
      return new SallyportError("INVALID_ARGUMENT", "a call of this id is in flight", { reason: "CALL_ID_IN_FLIGHT" });
    }
    if (this.#inFlight.size >= MAX_CALLS_IN_FLIGHT) {
      return new SallyportError("RESOURCE_EXHAUSTED", "too many calls in flight", { reason: "TOO_MANY_CALLS" });
    }
    if (this.#sink.bufferedBytes > MAX_UNREAD_BYTES) {
      return new SallyportError("RESOURCE_EXHAUSTED", "earlier replies have not been read", { reason: "REPLIES_UNREAD" });
    }
    return undefined;
  }

  #forward({ method: path, request, timeoutMs }: CallFrame, signal: CallSignal): Promise<Uint8Array> {
    try {
      const method = publicMethod(path);
      const caller = this.#callerOf(method);
      this.#context.limits.takeCall(method.limiter, { address: this.#address, accountId: caller?.accountId });
      const deadline = this.#context.clock() + Math.min(timeoutMs || DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS);
      return forward(this.#context.services, method, request, { caller, deadline, address: this.#address, signal });
    } catch (refused) {
      return Promise.reject(refused);
    }
  }

  #reply(id: number, frame: Uint8Array): void {
    this.#confirmation.whenDurable(() => {
      this.#inFlight.delete(id);
      this.#sink.sendBinary(frame);
      this.#tellFinished();
    });
  }

  #callerOf({ credential }: ServedMethod): Caller | undefined {
    if (credential === "none") {
      return undefined;
    }
    const grant = this.#grants.find(({ service }) => service === credential);
    if (grant === undefined) {
      throw new SallyportError("PERMISSION_DENIED", "this socket has made no exchange for that service", {
        reason: "SERVICE_NOT_EXCHANGED",
      });
    }
    return { accountId: grant.accountId, sessionId: grant.sessionId, service: grant.service };
  }
}
