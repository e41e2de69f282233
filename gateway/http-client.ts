import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import { SallyportError } from "../platform/errors.ts";
import type { TrustedProxies } from "./client-address.ts";

/** The canonical address of a request's client, or the refusal when it has gone, or a trusted proxy's `X-Forwarded-For` cannot be read. */
export function clientAddress(response: HttpResponse, request: HttpRequest, proxies: TrustedProxies): string | SallyportError {
  // Never the address of a PROXY preamble: anybody can send one.
  const peer = new Uint8Array(response.getRemoteAddress());
  // Empty when the client has reset the connection behind its request.
  const address = peer.length === 0 ? undefined : proxies.clientOf(peer, headerLines(request, "x-forwarded-for"));
  return address ?? new SallyportError("INVALID_ARGUMENT", "the client's address cannot be read", { reason: "CLIENT_ADDRESS_UNREADABLE" });
}

/** The values of all lines of a header, in order. `getHeader` would hide all but the first. */
export function headerLines(request: HttpRequest, name: string): readonly string[] {
  const values: string[] = [];
  request.forEach((key, value) => {
    if (key === name) {
      values.push(value);
    }
  });
  return values;
}
