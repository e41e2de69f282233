import { BadRequest, ErrorInfo, RetryInfo } from "../proto/gen/google/rpc/error_details.ts";
import type { Violation } from "../proto/method.ts";

/** The status codes of gRPC in the order of their numbers (https://grpc.io/docs/guides/status-codes/). */
const CODES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** The name of a status code. */
export type Code = (typeof CODES)[number];

/** A detail of an error: the type's name ("google.rpc.ErrorInfo", a URL before it or not) and its encoded message. */
export interface Detail {
  readonly type: string;
  readonly value: Uint8Array;
}

/** What an error carries besides code and message. */
export interface CallErrorFacts {
  readonly reason: string;
  readonly violations?: readonly Violation[];
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** How a call failed, whether the server or the library says so. */
export class CallError extends Error {
  readonly code: Code;
  /** UPPER_SNAKE_CASE, stable: what a program may test for. */
  readonly reason: string;
  /** The fields whose rules the request breaks. */
  readonly violations: readonly Violation[];
  /** When a retry makes sense, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: Code, message: string, facts: CallErrorFacts) {
    super(message, { cause: facts.cause });
    this.name = "CallError";
    this.code = code;
    this.reason = facts.reason;
    this.violations = facts.violations ?? [];
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** The name of a code's number; a number that gRPC does not know is UNKNOWN. */
export function codeOf(number: number): Code {
  return CODES[number] ?? "UNKNOWN";
}

/** The name of a code as Connect writes it ("invalid_argument", "canceled"); undefined when it is none. */
export function codeOfConnect(text: unknown): Code | undefined {
  return text === "canceled" ? "CANCELLED" : CODES.find((code) => code.toLowerCase() === text);
}

/** The error that a code, a message and google.rpc details say; details of other kinds, and unreadable ones, are left out. */
export function decodeError(code: Code, message: string, details: readonly Detail[]): CallError {
  const read = <T>(name: string, { decode }: { decode(bytes: Uint8Array): T }): T | undefined => {
    const detail = details.find(({ type }) => type.endsWith(`google.rpc.${name}`));
    try {
      return detail && decode(detail.value);
    } catch {
      return undefined;
    }
  };
  const delay = read("RetryInfo", RetryInfo)?.retryDelay;
  return new CallError(code, message, {
    reason: read("ErrorInfo", ErrorInfo)?.reason ?? "UNKNOWN",
    violations: read("BadRequest", BadRequest)?.fieldViolations.map(({ field, description }) => ({ field, description })) ?? [],
    ...(delay ? { retryAfterMs: delay.seconds * 1000 + delay.nanos / 1_000_000 } : {}),
  });
}
