import type { Method, MethodPolicy, Rpcs, Service } from "../proto/method.ts";

/** A generated message as an app sees it: bytes are Uint8Array, on every platform. */
export type Plain<T> = T extends Uint8Array
  ? Uint8Array
  : T extends Date
    ? Date
    : T extends readonly (infer Item)[]
      ? readonly Plain<Item>[]
      : T extends object
        ? { readonly [K in keyof T]: Plain<T[K]> }
        : T;

/** How an app makes one call. */
export interface CallOptions {
  /** From the call to its last possible answer, repeats through reconnects included; default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Which way the call goes. Left out: over the socket, but over HTTP when it is too large for a frame. */
  readonly via?: "socket" | "http";
}

/** Makes calls in their encoded form. Rejects with CallError. */
export type Invoke = (method: MethodPolicy, request: Uint8Array, options: CallOptions) => Promise<Uint8Array>;

/** A service as promises. They reject with CallError. */
export type MethodClient<R extends Rpcs> = {
  readonly [K in keyof R]: (request: Plain<R[K]["request"]>, options?: CallOptions) => Promise<Plain<R[K]["response"]>>;
};

/** The methods of a service over anything that can invoke them. */
export function methodClient<R extends Rpcs>(service: Service<R>, invoke: Invoke): MethodClient<R> {
  const calls = Object.entries(service.methods).map(([name, method]) => [name, bind(method, invoke)]);
  return Object.fromEntries(calls) as MethodClient<R>;
}

function bind<Request, Response>(
  method: Method<Request, Response>,
  invoke: Invoke,
): (request: Request, options?: CallOptions) => Promise<Response> {
  return async (request, options = {}) => method.response.decode(await invoke(method, method.request.encode(request).finish(), options));
}
