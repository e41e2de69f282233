import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import { STATUS_CODES } from "node:http";

/** How an answer goes to its client. */
export interface Delivery {
  /** Whether the client speaks TLS. */
  readonly isSecure?: boolean;
  /** Whether the connection ends with the answer. */
  readonly isLast?: boolean;
  /** Whether it answers a HEAD: the body is left out; its length is not, unless the connection ends. */
  readonly isHead?: boolean;
}

/** How the answer to a request goes to its client. */
export function deliveryFor(request: HttpRequest, transport: Pick<Delivery, "isSecure">): Delivery {
  return { ...transport, isHead: request.getMethod() === "head" };
}

/** What every answer says to browsers: take it for what it is, keep it nowhere, show it in no page, run nothing of it. */
const SAFETY_HEADERS: readonly (readonly [name: string, value: string])[] = [
  ["cache-control", "no-store"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["cross-origin-resource-policy", "same-origin"],
  ["referrer-policy", "no-referrer"],
  ["x-content-type-options", "nosniff"],
];

/** For a year. Without TLS it is forbidden (RFC 6797 section 7.2). */
const STRICT_TRANSPORT = ["strict-transport-security", "max-age=31536000"] as const;

/** Ends a response with an error as the Connect protocol writes it (https://connectrpc.com/docs/protocol#error-end-stream). */
export function refuse(response: HttpResponse, status: number, code: string, message: string, delivery: Delivery = {}): void {
  respond(response, status, new Headers({ "content-type": "application/json" }), JSON.stringify({ code, message }), delivery);
}

/** Ends a response; its own headers go before those for safety. The caller makes sure that the client is still there. */
export function respond(
  response: HttpResponse,
  status: number,
  headers: Headers,
  body: Uint8Array | string,
  { isSecure = false, isLast = false, isHead = false }: Delivery = {},
): void {
  response.cork(() => {
    response.writeStatus(`${status} ${STATUS_CODES[status] ?? "Unknown"}`);
    headers.forEach((value, name) => {
      // uWebSockets writes the length itself.
      if (name !== "content-length") {
        response.writeHeader(name, value);
      }
    });
    for (const [name, value] of isSecure ? [...SAFETY_HEADERS, STRICT_TRANSPORT] : SAFETY_HEADERS) {
      if (!headers.has(name)) {
        response.writeHeader(name, value);
      }
    }
    if (isHead && !isLast) {
      // Of a length that is handed over with the end, uWebSockets still waits for the bytes.
      response.writeHeader("content-length", `${Buffer.byteLength(body)}`);
      response.endWithoutBody();
    } else {
      response.end(isHead ? "" : body, isLast);
    }
  });
}
