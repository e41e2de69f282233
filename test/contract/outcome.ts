import { BadRequest, ErrorInfo } from "../../proto/gen/google/rpc/error_details.ts";

/** How a call ended, whichever way it went. */
export interface Outcome {
  /** A gRPC status code; 0 is OK. */
  readonly code: number;
  /** Of an answer over HTTP. */
  readonly httpStatus?: number;
  /** google.rpc.ErrorInfo; undefined: it is missing. */
  readonly domain?: string | undefined;
  readonly reason?: string | undefined;
  /** The paths in google.rpc.BadRequest, each once. */
  readonly fields: readonly string[];
  /** The encoded response, when the code is 0. */
  readonly response?: Uint8Array;
}

/** A google.rpc message in an error. */
export interface Detail {
  /** Full name, whatever stands before a slash. */
  readonly type: string;
  readonly value: Uint8Array;
}

/** Reads the details of an error. */
export function failure(code: number, details: readonly Detail[]): Outcome {
  const find = (name: string): Uint8Array | undefined => details.find(({ type }) => type.split("/").at(-1) === `google.rpc.${name}`)?.value;
  const [info, bad] = [find("ErrorInfo"), find("BadRequest")];
  const { domain, reason } = info ? ErrorInfo.decode(info) : { domain: undefined, reason: undefined };
  const fields = bad ? BadRequest.decode(bad).fieldViolations.map(({ field }) => field) : [];
  return { code, domain, reason, fields: [...new Set(fields)] };
}

/** What is told to the caller of a request that breaks a rule of `field`. */
export function ruleBroken(field: string): Partial<Outcome> {
  return { code: 3, domain: "sallyport", reason: "FIELD_RULE_VIOLATED", fields: [field] };
}
