import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import { type Delivery, refuse } from "./http-answer.ts";
import { headerLines } from "./http-client.ts";

/**
 * Whether it is beyond doubt where a request ends and whom it is for (RFC 9112 sections 3.2 and 6.3). uWebSockets takes the first of several
 * lengths and any transfer coding for `chunked`; a proxy that reads them otherwise would let one client speak in the name of the next.
 */
export function isFramedClearly(request: HttpRequest): boolean {
  const lengths = headerLines(request, "content-length");
  const codings = headerLines(request, "transfer-encoding");
  return (
    headerLines(request, "host").length === 1 &&
    lengths.length + codings.length <= 1 &&
    lengths.every((length) => /^\d+$/.test(length)) &&
    codings.every((coding) => coding.toLowerCase() === "chunked")
  );
}

/** Refuses a request that is not framed clearly and ends its connection, so that nothing of what comes after it is taken for a request. */
export function refuseUnclear(response: HttpResponse, delivery: Delivery): void {
  let isGone = false;
  response.onAborted(() => {
    isGone = true;
  });
  // uWebSockets would read on behind an answer given at once; of a request that waits for its answer, it cuts the connection when the next one comes.
  setImmediate(() => {
    if (!isGone) {
      refuse(response, 400, "invalid_argument", "malformed HTTP", { ...delivery, isLast: true });
    }
  });
}
