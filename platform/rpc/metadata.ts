import { type ChannelOptions, Metadata } from "@grpc/grpc-js";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import { isUuid } from "../ids.ts";
import type { Call } from "./call.ts";
import type { CallOptions } from "./client.ts";
import type { WireStatus } from "./status.ts";

const COPY_HEADER = "sallyport-copy";

/**
 * Of every channel and server: room for the largest call (a report), pings that find a dead peer within seconds, no way through a proxy that
 * the environment names, and no policy of calls that somebody's DNS names.
 */
export const CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.max_receive_message_length": 16 * 1024 * 1024,
  "grpc.max_send_message_length": 16 * 1024 * 1024,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  // What may be repeated is repeated by whoever asks; grpc-js would keep a copy of every message for it.
  "grpc.enable_retries": 0,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.min_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 500,
};

/** Who calls and from where, as metadata of a unary call. */
export function callerMetadata({ caller, isOperator, address }: Omit<CallOptions, "deadline" | "signal">): Metadata {
  const metadata = new Metadata();
  if (caller !== undefined) {
    metadata.set("sallyport-account-id", caller.accountId);
    metadata.set("sallyport-session-id", caller.sessionId);
    metadata.set("sallyport-service", caller.service);
  }
  if (isOperator === true) {
    metadata.set("sallyport-operator", "true");
  }
  metadata.set("sallyport-address", address ?? "");
  return metadata;
}

/** Reads what `callerMetadata` wrote. A caller that is not whole is none. */
export function readCaller(metadata: Metadata): Pick<Call, "caller" | "isOperator" | "address"> {
  const read = (name: string): string => String(metadata.get(name)[0] ?? "");
  const [accountId, sessionId, service] = [read("sallyport-account-id"), read("sallyport-session-id"), read("sallyport-service")];
  const whole = isUuid(accountId) && isUuid(sessionId) && (service === "account" || service === "chat");
  return {
    caller: whole ? { accountId, sessionId, service } : undefined,
    isOperator: read("sallyport-operator") === "true",
    address: read("sallyport-address"),
  };
}

/** The headers that answer a gateway's Hello: they name the run of the process that answers. */
export function copyMetadata(copy: string): Metadata {
  const metadata = new Metadata();
  metadata.set(COPY_HEADER, copy);
  return metadata;
}

/** Reads what `copyMetadata` wrote; empty when nothing was. */
export function readCopy(metadata: Metadata): string {
  return String(metadata.get(COPY_HEADER)[0] ?? "");
}

/** An error as grpc-js sends it, its details in the trailers. */
export function toServiceStatus(status: WireStatus): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(Status.encode(status).finish()));
  return { code: status.code, details: status.message, metadata };
}
