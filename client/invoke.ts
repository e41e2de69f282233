import type { MethodPolicy, ServiceName } from "../proto/method.ts";
import { CallError } from "./call-error.ts";
import type { Calls } from "./calls.ts";
import type { Deadline } from "./deadline.ts";
import { callOverHttp } from "./http.ts";
import type { Invoke } from "./method-client.ts";
import { callWithRetries } from "./retry.ts";
import type { Surroundings } from "./surroundings.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** Requests above this go over HTTP: a frame holds 128 KiB, the call around the request included. */
const LARGEST_ON_SOCKET = 127 * 1024;

/** The ways on which a connection's calls travel. */
export interface Routes {
  readonly surroundings: Surroundings;
  /** Where HTTP calls go, without a slash at its end. */
  readonly baseUrl: string;
  readonly calls: Calls;
  /** The newest access token of a service; waits for one while there is none. */
  readonly accessToken: (service: ServiceName, signal: AbortSignal) => Promise<Uint8Array>;
}

/** Makes calls on one of the routes, repeating what may be repeated until the deadline. */
export function invoker({ surroundings, baseUrl, calls, accessToken }: Routes): Invoke {
  const overHttp = async (method: MethodPolicy, request: Uint8Array, deadline: Deadline): Promise<Uint8Array> => {
    const { credential } = method;
    if (credential === "none" || credential === "operator") {
      return callOverHttp(surroundings, baseUrl, method, request, deadline);
    }
    const token = await accessToken(credential, deadline.signal);
    try {
      return await callOverHttp(surroundings, baseUrl, method, request, deadline, token);
    } catch (error) {
      const newer = isUnauthenticated(error) ? await accessToken(credential, deadline.signal) : token;
      if (newer === token) {
        throw error;
      }
      // The socket was replaced while the call was under way, and the token with it: the call was refused, not made.
      return callOverHttp(surroundings, baseUrl, method, request, deadline, newer);
    }
  };
  return (method, request, { timeoutMs = DEFAULT_TIMEOUT_MS, signal, via }) => {
    const route = via ?? (request.length > LARGEST_ON_SOCKET ? "http" : "socket");
    return callWithRetries(surroundings, { timeoutMs, signal, repeatable: method.retry === "safe" }, (deadline) =>
      route === "http" ? overHttp(method, request, deadline) : calls.invoke(method, request, deadline.at, deadline.signal),
    );
  };
}

function isUnauthenticated(error: unknown): boolean {
  return error instanceof CallError && error.code === "UNAUTHENTICATED";
}
