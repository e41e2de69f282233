import type { HttpResponse } from "uWebSockets.js";
import { STATUS_CODES } from "node:http";

/** Ends a response with an error as the Connect protocol writes it (https://connectrpc.com/docs/protocol#error-end-stream). */
export function refuse(response: HttpResponse, status: number, code: string, message: string): void {
  respond(response, status, new Headers({ "content-type": "application/json" }), JSON.stringify({ code, message }));
}

/** Ends a response. The caller makes sure that the client is still there. */
export function respond(response: HttpResponse, status: number, headers: Headers, body: Uint8Array | string): void {
  response.cork(() => {
    response.writeStatus(`${status} ${STATUS_CODES[status] ?? "Unknown"}`);
    headers.forEach((value, name) => {
      // uWebSockets writes the length itself.
      if (name !== "content-length") {
        response.writeHeader(name, value);
      }
    });
    response.end(body);
  });
}
