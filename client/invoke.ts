import type { MethodPolicy, ServiceName } from "../proto/method.ts";
import { CallError } from "./call-error.ts";
import type { Calls } from "./calls.ts";
import type { Deadline } from "./deadline.ts";
import { callOverHttp } from "./http.ts";
import type { Invoke } from "./method-client.ts";
import { callWithRetries } from "./retry.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Throttle, Throttles } from "./throttle.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** Requests above this go over HTTP: a frame holds 128 KiB, the call around the request included. */
const LARGEST_ON_SOCKET = 127 * 1024;

/** The access tokens of a connection: they are as good as its socket. */
export interface Access {
  /** The token of the socket that stands; undefined while none does. */
  readonly current: (service: ServiceName) => Uint8Array | undefined;
  /** The same, once there is one. @throws CallError when there will be none, or what the signal aborts with */
  readonly wait: (service: ServiceName, signal: AbortSignal) => Promise<Uint8Array>;
  /** The server has ended the socket that stands, it seems, and the word of it was lost: makes a new one. */
  readonly replaceSocket: () => void;
}

/** The ways on which a connection's calls travel. */
export interface Routes {
  readonly surroundings: Surroundings;
  /** Where HTTP calls go, without a slash at its end. */
  readonly baseUrl: string;
  readonly calls: Calls;
  readonly access: Access;
  readonly throttles: Throttles;
}

/** Makes calls on one of the routes, repeating what may be repeated until the deadline. */
export function invoker({ surroundings, baseUrl, calls, access, throttles }: Routes): Invoke {
  const overHttp = (method: MethodPolicy, request: Uint8Array, deadline: Deadline): Promise<Uint8Array> => {
    const { credential, owner } = method;
    const call = (token?: Uint8Array): Promise<Uint8Array> => callOverHttp(surroundings, baseUrl, method, request, deadline, token);
    return credential === "none" || credential === "operator"
      ? call()
      : callWithAccess({ ...access, throttle: throttles.of(owner) }, credential, deadline.signal, call);
  };
  return (method, request, { timeoutMs = DEFAULT_TIMEOUT_MS, signal, via }) => {
    const route = via ?? (request.length > LARGEST_ON_SOCKET ? "http" : "socket");
    const throttle = throttles.of(method.owner);
    return callWithRetries({ surroundings, throttle }, { timeoutMs, signal, repeatable: method.retry === "safe" }, (deadline) =>
      route === "http" ? overHttp(method, request, deadline) : calls.invoke(method, request, deadline.at, deadline.signal),
    );
  };
}

/**
 * Makes a call with the newest access token. A refused token says that its socket is gone, whether the client has noticed or not: the call
 * is made again, which is safe for every method, with the token of the next one. Only the refusal of a token that is younger than the
 * last refusal, and whose socket stands, is the app's matter.
 */
async function callWithAccess(
  { throttle, ...access }: Access & { readonly throttle: Throttle },
  service: ServiceName,
  signal: AbortSignal,
  call: (token: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  let isFresh = false;
  for (;;) {
    const token = await access.wait(service, signal);
    try {
      return await call(token);
    } catch (error) {
      const current = access.current(service);
      const stands = current === token;
      if (!isUnauthenticated(error) || (stands && isFresh)) {
        throw error;
      }
      if (stands) {
        access.replaceSocket();
      }
      isFresh = stands || current === undefined;
      await throttle.allowed("resend", signal);
    }
  }
}

function isUnauthenticated(error: unknown): boolean {
  return error instanceof CallError && error.code === "UNAUTHENTICATED";
}
