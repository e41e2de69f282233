import { ClientFrame, type Reply, ServerFrame } from "../proto/gen/sallyport/gateway/v1/frames.ts";

/** A call as it goes out. `timeoutMs` is what remains of its deadline. */
export interface OutgoingCall {
  readonly id: number;
  readonly method: string;
  readonly request: Uint8Array;
  readonly timeoutMs: number;
}

/** The bytes of a call frame. */
export function callFrame(call: OutgoingCall): Uint8Array {
  return encode({ $case: "call", value: { ...call } });
}

/** The bytes of an acknowledgement. */
export function ackFrame(messageIds: readonly string[]): Uint8Array {
  return encode({ $case: "ack", value: { messageIds: [...messageIds] } });
}

/** The bytes of a cancellation. */
export function cancelFrame(callId: number): Uint8Array {
  return encode({ $case: "cancel", value: { callId } });
}

/** The bytes of a frame that only says that the client is there. */
export function keepAliveFrame(): Uint8Array {
  return encode({ $case: "keepAlive", value: {} });
}

/** The reply in a frame of the server; undefined when it is of a kind that this version does not know, or unreadable. */
export function parseReply(bytes: Uint8Array): Reply | undefined {
  try {
    const { kind } = ServerFrame.decode(bytes);
    return kind?.value;
  } catch {
    return undefined;
  }
}

function encode(kind: NonNullable<ClientFrame["kind"]>): Uint8Array {
  return ClientFrame.encode({ kind }).finish();
}
