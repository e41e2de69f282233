import { type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { SallyportError } from "../platform/errors.ts";
import { toWireStatus } from "../platform/rpc/status.ts";

/** An error as Connect writes it: its codes are those of gRPC, its details are google.rpc messages. */
export function connectError(registry: FileRegistry, error: SallyportError): ConnectError {
  const { code, message, details } = toWireStatus(error);
  const headers: Record<string, string> = {
    ...(error.status === "UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : {}),
    ...(error.retryAfterMs === undefined ? {} : { "retry-after": `${Math.ceil(error.retryAfterMs / 1000)}` }),
  };
  const connect = new ConnectError(message, code, headers);
  for (const { typeUrl, value } of details) {
    const desc = registry.getMessage(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
    if (desc !== undefined) {
      connect.details.push({ desc, value: fromBinary(desc, value) });
    }
  }
  return connect;
}
