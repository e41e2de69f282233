import type { Reply } from "../proto/gen/sallyport/gateway/v1/frames.ts";
import type { MethodPolicy } from "../proto/method.ts";
import { CallError, codeOf, decodeError } from "./call-error.ts";
import { callFrame, cancelFrame } from "./frames.ts";
import type { Throttles } from "./throttle.ts";

/** What the gateway serves of one socket at a time; what is more waits here. */
export const MAX_IN_FLIGHT = 64;

/** Sends the bytes of one frame. */
export type SendFrame = (frame: Uint8Array) => void;

interface PendingCall {
  readonly method: MethodPolicy;
  readonly request: Uint8Array;
  readonly deadline: number;
  readonly succeed: (response: Uint8Array) => void;
  readonly fail: (error: CallError) => void;
  /** When it went out on the socket that stands, in milliseconds since the epoch. */
  sentAt: number | undefined;
  /** Went out on a socket that was lost, and waits until it may go out once more; the function takes that back. */
  stopWaiting: (() => void) | undefined;
}

/**
 * The calls that wait for an answer, over all sockets of a connection, oldest first. Those of methods that may be repeated survive the
 * loss of a socket: they are sent again on the next one, in their order, as far as the throttle allows it.
 */
export class Calls {
  readonly #now: () => number;
  readonly #throttles: Throttles;
  readonly #unanswered: (sentAt: number) => void;
  readonly #pending = new Map<number, PendingCall>();
  #send: SendFrame | undefined;
  #isHeld = false;
  #inFlight = 0;
  #lastId = 0;
  #over: CallError | undefined;

  /** `unanswered` hears when a call went out that was not answered by its deadline: perhaps the socket is dead. */
  constructor(now: () => number, throttles: Throttles, unanswered: (sentAt: number) => void) {
    this.#now = now;
    this.#throttles = throttles;
    this.#unanswered = unanswered;
  }

  /**
   * Makes a call, now or when there is a socket. The signal aborts it with a CallError: the caller's wish, or the deadline (in milliseconds
   * since the epoch). @throws CallError
   */
  invoke(method: MethodPolicy, request: Uint8Array, deadline: number, signal: AbortSignal): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const failure: unknown = this.#over ?? (signal.aborted ? signal.reason : undefined);
      if (failure !== undefined) {
        reject(failure);
        return;
      }
      this.#lastId = (this.#lastId + 1) >>> 0;
      const id = this.#lastId;
      const give = (): void => this.#giveUp(id, signal.reason as CallError);
      const settle = (): void => signal.removeEventListener("abort", give);
      signal.addEventListener("abort", give, { once: true });
      this.#pending.set(id, {
        method,
        request,
        deadline,
        sentAt: undefined,
        stopWaiting: undefined,
        succeed: (response) => {
          settle();
          resolve(response);
        },
        fail: (error) => {
          settle();
          reject(error);
        },
      });
      this.#sendWaiting();
    });
  }

  /** A socket stands: sends what waits. Returns whether that was anything. */
  attach(send: SendFrame): boolean {
    this.#send = send;
    this.#sendWaiting();
    return this.#inFlight > 0;
  }

  /** The socket is about to be closed: what comes from now on waits for the next one, so that what is under way is answered before. */
  hold(): void {
    this.#isHeld = true;
  }

  /** The socket is gone. Calls that were under way and must not be made twice fail. */
  detach(): void {
    this.#send = undefined;
    this.#isHeld = false;
    this.#inFlight = 0;
    for (const [id, call] of [...this.#pending]) {
      if (call.sentAt !== undefined) {
        call.sentAt = undefined;
        this.#sendAgain(id, call);
      }
    }
  }

  /** An answer came. One to a call that was given up is dropped. */
  reply({ callId, code, response, message, details }: Reply): void {
    const call = this.#pending.get(callId);
    if (call?.sentAt !== undefined) {
      this.#remove(callId, call);
      if (code === 0) {
        call.succeed(response);
      } else {
        call.fail(
          decodeError(
            codeOf(code),
            message,
            details.map(({ typeUrl, value }) => ({ type: typeUrl, value })),
          ),
        );
      }
    }
  }

  /** There will be no socket any more: fails what waits, and what comes. */
  end(error: CallError): void {
    this.#over = error;
    this.#send = undefined;
    for (const [id, call] of [...this.#pending]) {
      this.#pending.delete(id);
      call.stopWaiting?.();
      call.fail(error);
    }
  }

  #sendAgain(id: number, call: PendingCall): void {
    if (call.method.retry === "never") {
      this.#pending.delete(id);
      call.fail(new CallError("UNAVAILABLE", "the connection was lost before the answer came", { reason: "CONNECTION_LOST" }));
      return;
    }
    let isAllowed = false;
    const stopWaiting = this.#throttles.of(call.method.owner).whenAllowed("resend", () => {
      isAllowed = true;
      call.stopWaiting = undefined;
      this.#sendWaiting();
    });
    call.stopWaiting = isAllowed ? undefined : stopWaiting;
  }

  #giveUp(id: number, error: CallError): void {
    const call = this.#pending.get(id);
    if (call !== undefined) {
      const { sentAt } = call;
      if (sentAt !== undefined) {
        this.#send?.(cancelFrame(id));
      }
      this.#remove(id, call);
      call.fail(error);
      if (sentAt !== undefined && error.code === "DEADLINE_EXCEEDED") {
        this.#unanswered(sentAt);
      }
    }
  }

  #remove(id: number, call: PendingCall): void {
    this.#pending.delete(id);
    call.stopWaiting?.();
    if (call.sentAt !== undefined) {
      this.#inFlight -= 1;
      this.#sendWaiting();
    }
  }

  #sendWaiting(): void {
    for (const [id, call] of this.#pending) {
      if (this.#send === undefined || this.#isHeld || this.#inFlight >= MAX_IN_FLIGHT) {
        return;
      }
      if (call.sentAt === undefined && call.stopWaiting === undefined) {
        call.sentAt = this.#now();
        this.#inFlight += 1;
        const timeoutMs = Math.max(1, Math.ceil(call.deadline - call.sentAt));
        this.#send(callFrame({ id, method: call.method.path, request: call.request, timeoutMs }));
      }
    }
  }
}
