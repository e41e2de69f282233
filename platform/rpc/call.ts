import type { Event } from "../../proto/gen/sallyport/gateway/v1/events.ts";
import type { Method, Rpcs, Service, ServiceName } from "../../proto/method.ts";
import type { CallMetrics } from "../call-metrics.ts";

/** Who calls, as the gateway checked it: ids in lower case. */
export interface Caller {
  readonly accountId: string;
  readonly sessionId: string;
  /** The service whose access token was shown. */
  readonly service: ServiceName;
}

/** What a handler knows of a call besides its request. */
export interface Call {
  readonly caller: Caller | undefined;
  /** Whether an operator calls, as the gateway checked it. */
  readonly isOperator: boolean;
  /** The client's address in canonical form; empty on calls between services. */
  readonly address: string;
  /** When the answer is no longer wanted, in milliseconds since the epoch. Writes are fenced by it. */
  readonly deadline: number;
  /** Aborts when the caller cancels or the deadline passes. */
  readonly signal: AbortSignal;
  /** The gateway whose relay stream brought the call; undefined for a plain unary call. */
  readonly gateway: GatewayPeer | undefined;
}

/** A gateway, as a service sees it: where events and revocations are pushed to. */
export interface GatewayPeer {
  /** One run of one gateway process. */
  readonly incarnation: string;
  /** Hands an event to one connection of the gateway; dropped when the stream has ended. */
  push(connection: number, epoch: number, event: Event): void;
  /** Tells the gateway that a session has ended. */
  revoke(sessionId: string): void;
  /** Tells the gateway that a message waits for the account of a connection whose events another copy delivers. */
  wake(connection: number): void;
  /** Has the gateway tell a copy, if it is connected to it, that a message waits for an account. */
  wakeAt(copy: string, accountId: string): void;
}

/** What acts on a request. Throws SallyportError for every outcome but OK. */
export type Handler<Request, Response> = (request: Request, call: Call) => Promise<Response> | Response;

/** Lets a call go on, once it is known who calls and before the request is read. Throws SallyportError where it may not. */
export type Admit = (call: Call) => Promise<void>;

/** A handler for each method of a service: a missing one does not compile. */
export type Handlers<R extends Rpcs> = { readonly [K in keyof R]: Handler<R[K]["request"], R[K]["response"]> };

/** A method with the handler that serves it. */
export interface Implementation {
  // biome-ignore lint/suspicious/noExplicitAny: implementations of different messages share one table
  readonly method: Method<any, any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly handler: Handler<any, any>;
  readonly admit?: Admit;
  /** Hears of each call that was answered. */
  readonly calls?: CallMetrics;
}

/** Pairs the methods of a service with their handlers. */
export function implement<R extends Rpcs>(service: Service<R>, handlers: Handlers<R>): readonly Implementation[] {
  return Object.entries(service.methods).map(([name, method]) => ({
    method,
    handler: handlers[name as keyof R] as Implementation["handler"],
  }));
}

/** The caller, where a method's policy has made sure that there is one. */
export function callerOf(call: Call): Caller {
  if (call.caller === undefined) {
    throw new TypeError("the method's policy asks for no caller");
  }
  return call.caller;
}
