import type { HttpResponse } from "uWebSockets.js";
import type { FileRegistry } from "@bufbuild/protobuf";
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import type { SallyportError } from "../platform/errors.ts";
import { connectError } from "./connect-error.ts";
import { type Delivery, respond } from "./http-answer.ts";

/** Ends a response with an error as Connect writes it, details included. The caller makes sure that the client is still there. */
export function refuseWith(response: HttpResponse, registry: FileRegistry, error: SallyportError, delivery: Delivery = {}): void {
  const connect = connectError(registry, error);
  const headers = new Headers(connect.metadata);
  headers.set("content-type", "application/json");
  respond(response, codeToHttpStatus(connect.code), headers, errorToJsonBytes(connect, undefined), delivery);
}
