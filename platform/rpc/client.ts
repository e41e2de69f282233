import type { Method, Rpcs, Service } from "../../proto/method.ts";
import { SallyportError } from "../errors.ts";
import type { Caller } from "./call.ts";
import type { CancelSignal } from "./call-signal.ts";

/** How one call is made. */
export interface CallOptions {
  /** In milliseconds since the epoch. */
  readonly deadline: number;
  readonly caller?: Caller | undefined;
  /** An operator calls. */
  readonly isOperator?: boolean;
  /** The client's address in canonical form. */
  readonly address?: string;
  readonly signal?: CancelSignal;
}

/** Sends encoded requests one way or another. Rejects with SallyportError. */
export interface Invoker {
  invoke(method: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array>;
}

/** A service as promises. */
export type Client<R extends Rpcs> = {
  readonly [K in keyof R]: (request: R[K]["request"], options: CallOptions) => Promise<R[K]["response"]>;
};

/** A typed client of a service over anything that can invoke its methods. */
export function createClient<R extends Rpcs>(service: Service<R>, invoker: Invoker): Client<R> {
  const calls = Object.entries(service.methods).map(([name, method]) => [name, bind(method, invoker)]);
  return Object.fromEntries(calls) as Client<R>;
}

function bind<Request, Response>(
  method: Method<Request, Response>,
  invoker: Invoker,
): (request: Request, options: CallOptions) => Promise<Response> {
  return async (request, options) => {
    const response = await invoker.invoke(method.path, method.request.encode(request).finish(), options);
    try {
      return method.response.decode(response);
    } catch (cause) {
      throw new SallyportError("INTERNAL", "internal error", { reason: "INTERNAL", cause });
    }
  };
}
