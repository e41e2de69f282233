/** Status codes of gRPC that Sallyport answers with (https://grpc.io/docs/guides/status-codes/). */
export const StatusCode = {
  OK: 0,
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** The name of a status code. */
export type StatusName = keyof typeof StatusCode;

/** A rule that a request breaks: the path of the field in lowerCamelCase, and what is expected there. */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

/** What an error carries besides its code. */
export interface ErrorFacts {
  /** UPPER_SNAKE_CASE, stable: what a program may test for. */
  readonly reason: string;
  readonly violations?: readonly Violation[];
  /** When a retry makes sense, in milliseconds; of UNAVAILABLE, half a second when left out. */
  readonly retryAfterMs?: number;
  /** Logged, never sent. */
  readonly cause?: unknown;
}

/** What cannot be reached is worth another try soon, as most outages are short; callers spread theirs and wait longer each time. */
const UNAVAILABLE_RETRY_MS = 500;

/** The one error that crosses layers. Its message is sent to the caller: no secrets, no bodies, no internals. */
export class SallyportError extends Error {
  readonly status: StatusName;
  readonly reason: string;
  readonly violations: readonly Violation[];
  readonly retryAfterMs: number | undefined;

  constructor(status: StatusName, message: string, facts: ErrorFacts) {
    super(message, { cause: facts.cause });
    this.name = "SallyportError";
    this.status = status;
    this.reason = facts.reason;
    this.violations = facts.violations ?? [];
    this.retryAfterMs = facts.retryAfterMs ?? (status === "UNAVAILABLE" ? UNAVAILABLE_RETRY_MS : undefined);
  }
}

/** So many violations are told at a time. */
const MAX_VIOLATIONS = 20;

/** The request breaks rules of its fields; the first ones are told. */
export function invalidArgument(broken: readonly Violation[]): SallyportError {
  const violations = broken.slice(0, MAX_VIOLATIONS);
  const message = violations.map(({ field, description }) => `${field}: ${description}`).join("; ");
  return new SallyportError("INVALID_ARGUMENT", message, { reason: "FIELD_RULE_VIOLATED", violations });
}

/** Something that the call needs cannot be reached; a retry may succeed, and the caller is told when. */
export function unavailable(message: string, reason: string, cause?: unknown): SallyportError {
  return new SallyportError("UNAVAILABLE", message, { reason, cause });
}

/** What a thrown value is to a caller: itself, or an internal error whose text says nothing. */
export function toSallyportError(thrown: unknown): SallyportError {
  if (thrown instanceof SallyportError) {
    return thrown;
  }
  return new SallyportError("INTERNAL", "internal error", { reason: "INTERNAL", cause: thrown });
}
