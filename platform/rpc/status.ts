import type { Any } from "../../proto/gen/google/protobuf/any.ts";
import { BadRequest, ErrorInfo, RetryInfo } from "../../proto/gen/google/rpc/error_details.ts";
import { SallyportError, StatusCode, type StatusName } from "../errors.ts";

/** An error as it crosses a wire: a gRPC status code, a text, and google.rpc messages. */
export interface WireStatus {
  readonly code: number;
  readonly message: string;
  readonly details: Any[];
}

const NAMES = new Map(Object.entries(StatusCode).map(([name, code]) => [code as number, name as StatusName]));

/** What an error says to its caller (google.rpc.ErrorInfo always; BadRequest and RetryInfo where they apply). */
export function toWireStatus(error: SallyportError): WireStatus {
  const details = [pack("ErrorInfo", ErrorInfo.encode({ reason: error.reason, domain: "sallyport", metadata: {} }).finish())];
  if (error.violations.length > 0) {
    const fieldViolations = error.violations.map(({ field, description }) => ({
      field,
      description,
      reason: "",
      localizedMessage: undefined,
    }));
    details.push(pack("BadRequest", BadRequest.encode({ fieldViolations }).finish()));
  }
  if (error.retryAfterMs !== undefined) {
    const seconds = Math.floor(error.retryAfterMs / 1000);
    const nanos = Math.round((error.retryAfterMs - seconds * 1000) * 1_000_000);
    details.push(pack("RetryInfo", RetryInfo.encode({ retryDelay: { seconds, nanos } }).finish()));
  }
  return { code: StatusCode[error.status], message: error.message, details };
}

/** The error that a wire status says; details of other kinds are left out. */
export function fromWireStatus({ code, message, details }: WireStatus): SallyportError {
  const find = (name: string): Uint8Array | undefined => details.find((detail) => detail.typeUrl.endsWith(`google.rpc.${name}`))?.value;
  const [info, bad, retry] = [find("ErrorInfo"), find("BadRequest"), find("RetryInfo")];
  const delay = retry && RetryInfo.decode(retry).retryDelay;
  return new SallyportError(NAMES.get(code) ?? "INTERNAL", message, {
    reason: info ? ErrorInfo.decode(info).reason : "UNKNOWN",
    ...(bad ? { violations: BadRequest.decode(bad).fieldViolations } : {}),
    ...(delay ? { retryAfterMs: delay.seconds * 1000 + delay.nanos / 1_000_000 } : {}),
  });
}

function pack(name: string, value: Uint8Array): Any {
  return { typeUrl: `type.googleapis.com/google.rpc.${name}`, value: Buffer.from(value) };
}
