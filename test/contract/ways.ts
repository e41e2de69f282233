import type { JsonValue } from "@bufbuild/protobuf";
import { SallyportError, StatusCode } from "../../platform/errors.ts";
import type { Channel } from "../../platform/rpc/channel.ts";
import type { MethodContract } from "../../proto/contract.ts";
import type { RawSocket } from "../support/raw-socket.ts";
import type { Identity } from "./insider.ts";
import { failure, type Outcome } from "./outcome.ts";
import { encodeJson } from "./schema.ts";

/** The codes of the Connect protocol by name (https://connectrpc.com/docs/protocol/#error-codes). */
const CONNECT_CODES: Readonly<Record<string, number>> = {
  canceled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  failed_precondition: 9,
  aborted: 10,
  out_of_range: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  data_loss: 15,
  unauthenticated: 16,
};

/** The methods that are called: their path, and the names of their messages. */
export type Callable = Pick<MethodContract, "path" | "request" | "response">;

/** Calls over HTTP with a body as it stands. */
export async function post(url: string, contentType: string, body: Uint8Array | string, accessToken?: string): Promise<Response> {
  const authorization: Record<string, string> = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` };
  return fetch(url, { method: "POST", headers: { "content-type": contentType, ...authorization }, body: Buffer.from(body) });
}

/** Calls over HTTP with proto3 JSON. A response is encoded again, so that it can be checked like the others. */
export async function overJson(httpUrl: string, method: Callable, request: JsonValue | string, accessToken?: string): Promise<Outcome> {
  const body = typeof request === "string" ? request : JSON.stringify(request);
  const response = await post(httpUrl + method.path, "application/json", body, accessToken);
  if (response.status !== 200) {
    return readFailure(response);
  }
  return { code: 0, httpStatus: 200, fields: [], response: encodeJson(method.response, (await response.json()) as JsonValue) };
}

/** Calls over HTTP with protobuf's encoding. */
export async function overProto(httpUrl: string, method: Callable, request: Uint8Array, accessToken?: string): Promise<Outcome> {
  const response = await post(httpUrl + method.path, "application/proto", request, accessToken);
  return response.status === 200
    ? { code: 0, httpStatus: 200, fields: [], response: Buffer.from(await response.arrayBuffer()) }
    : readFailure(response);
}

/** Calls on a socket on which nothing else goes on. */
export async function overSocket(socket: RawSocket, method: Callable, request: Uint8Array): Promise<Outcome> {
  socket.sendFrame({ $case: "call", value: { id: 7, method: method.path, request: Buffer.from(request), timeoutMs: 0 } });
  const { code, response, details } = await socket.reply();
  return code === 0
    ? { code, fields: [], response }
    : failure(
        code,
        details.map(({ typeUrl, value }) => ({ type: typeUrl, value })),
      );
}

/** Calls a service itself, as a gateway would that has checked who calls. */
export async function overGrpc(channel: Channel, method: Callable, request: Uint8Array, identity: Identity = {}): Promise<Outcome> {
  try {
    const response = await channel.invoke(method.path, request, { deadline: Date.now() + 10_000, ...identity, address: "127.0.0.1" });
    return { code: 0, fields: [], response };
  } catch (error) {
    if (!(error instanceof SallyportError)) {
      throw error;
    }
    const fields = [...new Set(error.violations.map(({ field }) => field))];
    // The channel has read the details; an error without ErrorInfo has no reason.
    const domain = error.reason === "UNKNOWN" ? undefined : "sallyport";
    return { code: StatusCode[error.status], domain, reason: error.reason, fields };
  }
}

async function readFailure(response: Response): Promise<Outcome> {
  const body = (await response.json()) as { code: string; details?: { type: string; value: string }[] };
  const details = (body.details ?? []).map(({ type, value }) => ({ type, value: Buffer.from(value, "base64") }));
  return { ...failure(CONNECT_CODES[body.code] ?? -1, details), httpStatus: response.status };
}
