import { invalidArgument, SallyportError, toSallyportError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Call, Implementation } from "./call.ts";
import { type Peer, peerNotAllowed } from "./peer.ts";
import { toWireStatus, type WireStatus } from "./status.ts";

/** The outcome of a call: the encoded response, or what went wrong. */
export type Outcome = { readonly response: Uint8Array } | { readonly status: WireStatus };

/**
 * Serves one call, whichever way it came: which process calls, for whom, whether it may, what is asked, then the handler. Never rejects.
 * The one place of a service that catches.
 */
export async function answer(
  { method, handler, admit, calls }: Implementation,
  request: Uint8Array,
  call: Call,
  peer: Peer,
  logger: Logger,
): Promise<Outcome> {
  const startedAt = performance.now();
  try {
    // Who calls is believed only of a process that may say so: this comes before anything that the call says.
    if (!peer.mayBe(method.peer)) {
      throw peerNotAllowed();
    }
    checkCaller(method.credential, call);
    if (admit !== undefined) {
      await admit(call);
    }
    const message = decode(method, request);
    const violations = method.validate(message);
    if (violations.length > 0) {
      throw invalidArgument(violations);
    }
    const response = method.response.encode(await handler(message, call)).finish();
    calls?.answered(method.path, "OK", startedAt);
    return { response };
  } catch (thrown) {
    const error = toSallyportError(thrown);
    if (error.status === "INTERNAL" || (error.status === "UNAVAILABLE" && error.cause !== undefined)) {
      logger.error({ method: method.path, reason: error.reason, err: error.cause }, "call failed");
    }
    calls?.answered(method.path, error.status, startedAt);
    return { status: toWireStatus(error) };
  }
}

function checkCaller(credential: Implementation["method"]["credential"], { caller, isOperator, deadline }: Call): void {
  const isNeeded = credential !== "none" && !(credential === "operator" && isOperator);
  if (isNeeded && caller === undefined) {
    throw new SallyportError("UNAUTHENTICATED", "no token", { reason: "CREDENTIAL_MISSING" });
  }
  if (isNeeded && caller?.service !== credential) {
    throw new SallyportError("PERMISSION_DENIED", "the access token is of another service", { reason: "CREDENTIAL_OF_OTHER_SERVICE" });
  }
  if (deadline <= Date.now()) {
    throw new SallyportError("DEADLINE_EXCEEDED", "the deadline has passed", { reason: "DEADLINE_EXCEEDED" });
  }
}

function decode(method: Implementation["method"], request: Uint8Array): unknown {
  try {
    return method.request.decode(request);
  } catch {
    throw new SallyportError("INVALID_ARGUMENT", "the request is not a message of the method's type", { reason: "MALFORMED_REQUEST" });
  }
}
