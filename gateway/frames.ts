import type { WireStatus } from "../platform/rpc/status.ts";
import { ServerFrame } from "../proto/gen/sallyport/gateway/v1/frames.ts";
import { WireReader, WireType } from "./wire-reader.ts";

/** A call as a client asks for it. */
export interface CallFrame {
  readonly kind: "call";
  readonly id: number;
  readonly method: string;
  readonly request: Uint8Array;
  /** 0: the server's default. */
  readonly timeoutMs: number;
}

/** What a client says after the exchange (sallyport.gateway.v1.ClientFrame). */
export type ClientFrame =
  | CallFrame
  | { readonly kind: "ack"; readonly messageIds: readonly string[] }
  | { readonly kind: "cancel"; readonly callId: number }
  | { readonly kind: "keepAlive" }
  /** Well formed, of a kind that this version does not know (an empty frame is one). */
  | { readonly kind: "unknown" };

/** The tags of ServerFrame.reply, Reply.call_id and Reply.response. */
const [REPLY, CALL_ID, RESPONSE] = [0x0a, 0x08, 0x1a];

/** The longest frame after the exchange, in bytes. */
export const MAX_FRAME_BYTES = 131_072;

/** Reads a ClientFrame. Of several kinds in one frame the last counts; the request is a view of `bytes`. @throws MalformedError */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  const reader = new WireReader(bytes);
  let frame = { kind: "unknown" } as ClientFrame;
  while (reader.next()) {
    if (reader.wireType !== WireType.BYTES || reader.field > 4) {
      reader.skip();
      continue;
    }
    const content = reader.bytes();
    // Parts of one message field are merged (https://protobuf.dev/programming-guides/encoding/#last-one-wins).
    if (reader.field === 1) {
      frame = decodeCall(content, frame.kind === "call" ? frame : undefined);
    } else if (reader.field === 2) {
      frame = { kind: "ack", messageIds: decodeAck(content, frame.kind === "ack" ? frame.messageIds : []) };
    } else if (reader.field === 3) {
      frame = { kind: "cancel", callId: decodeCancel(content, frame.kind === "cancel" ? frame.callId : 0) };
    } else {
      decodeKeepAlive(content);
      frame = { kind: "keepAlive" };
    }
  }
  return frame;
}

/** A ServerFrame with the response of a call, put together here: nearly every frame that leaves is one. */
export function encodeResponse(callId: number, response: Uint8Array): Uint8Array {
  const idBytes = callId === 0 ? 0 : 1 + varintBytes(callId);
  const responseBytes = response.length === 0 ? 0 : 1 + varintBytes(response.length) + response.length;
  const length = idBytes + responseBytes;
  const frame = Buffer.allocUnsafe(1 + varintBytes(length) + length);
  let at = writeVarint(frame, writeVarint(frame, 0, REPLY), length);
  if (callId !== 0) {
    at = writeVarint(frame, writeVarint(frame, at, CALL_ID), callId);
  }
  if (response.length > 0) {
    at = writeVarint(frame, writeVarint(frame, at, RESPONSE), response.length);
    frame.set(response, at);
  }
  return frame;
}

/** A ServerFrame that says why a call failed. */
export function encodeFailure(callId: number, status: WireStatus): Uint8Array {
  const reply = { callId, response: Buffer.alloc(0), ...status };
  return ServerFrame.encode({ kind: { $case: "reply", value: reply } }).finish();
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}

/** Answers where it ends. */
function writeVarint(into: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) {
    into[at] = (rest & 0x7f) | 0x80;
    at += 1;
  }
  into[at] = rest;
  return at + 1;
}

function decodeCall(bytes: Uint8Array, earlier: CallFrame | undefined): CallFrame {
  const reader = new WireReader(bytes);
  let { id, method, request, timeoutMs } = earlier ?? { id: 0, method: "", request: new Uint8Array(0), timeoutMs: 0 };
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WireType.VARINT) {
      id = reader.uint32();
    } else if (reader.field === 2 && reader.wireType === WireType.BYTES) {
      method = reader.string();
    } else if (reader.field === 3 && reader.wireType === WireType.BYTES) {
      request = reader.bytes();
    } else if (reader.field === 4 && reader.wireType === WireType.VARINT) {
      timeoutMs = reader.uint32();
    } else {
      reader.skip();
    }
  }
  return { kind: "call", id, method, request, timeoutMs };
}

function decodeAck(bytes: Uint8Array, earlier: readonly string[]): readonly string[] {
  const reader = new WireReader(bytes);
  const ids = [...earlier];
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WireType.BYTES) {
      ids.push(reader.string());
    } else {
      reader.skip();
    }
  }
  return ids;
}

function decodeCancel(bytes: Uint8Array, earlier: number): number {
  const reader = new WireReader(bytes);
  let callId = earlier;
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WireType.VARINT) {
      callId = reader.uint32();
    } else {
      reader.skip();
    }
  }
  return callId;
}

function decodeKeepAlive(bytes: Uint8Array): void {
  const reader = new WireReader(bytes);
  while (reader.next()) {
    reader.skip();
  }
}
