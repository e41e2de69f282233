import type { FileRegistry } from "@bufbuild/protobuf";
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { SallyportError, StatusCode, type StatusName } from "../platform/errors.ts";
import { connectError } from "./connect-error.ts";

/** An answer as it goes to the client. */
export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** An answer that says what went wrong. */
export interface FaultAnswer extends Answer {
  readonly fault: StatusName;
}

/** What the Connect library says by itself, before or after a method: how we say it, by its code. */
const FAULTS: Readonly<Record<string, readonly [StatusName, message: string, reason: string]>> = {
  invalid_argument: ["INVALID_ARGUMENT", "the request is malformed", "MALFORMED_REQUEST"],
  resource_exhausted: ["RESOURCE_EXHAUSTED", "the message is too large", "MESSAGE_TOO_LARGE"],
  unimplemented: ["UNIMPLEMENTED", "this encoding is not supported", "ENCODING_UNSUPPORTED"],
  deadline_exceeded: ["DEADLINE_EXCEEDED", "the deadline has passed", "DEADLINE_EXCEEDED"],
  canceled: ["CANCELLED", "the call was cancelled", "CANCELLED"],
};

/**
 * Puts an error that the Connect library made itself (ours carry details, its do not) into our words, with an ErrorInfo.
 * The library calls a malformed binary request an internal error: it is the client's.
 */
export function explainFault(registry: FileRegistry, answer: Answer): FaultAnswer {
  const { code, message, details } = JSON.parse(Buffer.from(answer.body).toString()) as Record<string, unknown>;
  if (details !== undefined) {
    return { ...answer, fault: statusNamed(String(code)) };
  }
  const isMalformed = code === "internal" && String(message).startsWith("parse binary");
  const [status, text, reason] = FAULTS[isMalformed ? "invalid_argument" : String(code)] ?? ["INTERNAL", "internal error", "INTERNAL"];
  const error = connectError(registry, new SallyportError(status, text, { reason }));
  return { status: codeToHttpStatus(error.code), body: errorToJsonBytes(error, undefined), fault: status };
}

/** The status that Connect calls by a name of its own (https://connectrpc.com/docs/protocol/#error-codes). */
function statusNamed(code: string): StatusName {
  const name = code === "canceled" ? "CANCELLED" : code.toUpperCase();
  return name in StatusCode ? (name as StatusName) : "INTERNAL";
}
