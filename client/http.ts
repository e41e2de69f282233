import type { MethodPolicy } from "../proto/method.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { CallError, type Code, codeOfConnect, type Detail, decodeError } from "./call-error.ts";
import type { Deadline } from "./deadline.ts";
import type { Surroundings } from "./surroundings.ts";

/** One unary call of the Connect protocol (https://connectrpc.com/docs/protocol), in its binary form. @throws CallError */
export async function callOverHttp(
  { fetch, now }: Pick<Surroundings, "fetch" | "now">,
  baseUrl: string,
  method: MethodPolicy,
  request: Uint8Array,
  deadline: Deadline,
  accessToken?: Uint8Array,
): Promise<Uint8Array> {
  deadline.signal.throwIfAborted();
  const headers: Record<string, string> = {
    "content-type": "application/proto",
    "connect-protocol-version": "1",
    "connect-timeout-ms": String(Math.max(1, Math.ceil(deadline.at - now()))),
    ...(accessToken ? { authorization: `Bearer ${toBase64(accessToken)}` } : {}),
  };
  try {
    // None of our bytes live in shared memory.
    const body = request as Uint8Array<ArrayBuffer>;
    const response = await fetch(`${baseUrl}${method.path}`, { method: "POST", headers, body, signal: deadline.signal });
    if (response.status !== 200) {
      throw readError(response.status, await response.text());
    }
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw error instanceof CallError
      ? error
      : new CallError("UNAVAILABLE", "the server cannot be reached", { reason: "UNREACHABLE", cause: error });
  }
}

function readError(status: number, text: string): CallError {
  try {
    const { code, message, details } = JSON.parse(text) as { code?: unknown; message?: unknown; details?: unknown };
    const name = codeOfConnect(code) ?? codeOfStatus(status);
    return decodeError(name, typeof message === "string" ? message : "", Array.isArray(details) ? details.flatMap(readDetail) : []);
  } catch {
    return decodeError(codeOfStatus(status), `HTTP status ${status}`, []);
  }
}

function readDetail(detail: { type?: unknown; value?: unknown } | null): readonly Detail[] {
  return typeof detail?.type === "string" && typeof detail.value === "string"
    ? [{ type: detail.type, value: fromBase64(detail.value) }]
    : [];
}

/** What an answer says that does not come from a Connect server (a proxy's, for example). */
function codeOfStatus(status: number): Code {
  const codes: Readonly<Record<number, Code>> = {
    400: "INTERNAL",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "UNIMPLEMENTED",
    429: "UNAVAILABLE",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "UNAVAILABLE",
  };
  return codes[status] ?? "UNKNOWN";
}
