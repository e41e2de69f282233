/** What the beginning of a reply says (sallyport.gateway.v1.ServerFrame). */
export interface ReplyHead {
  readonly callId: number;
  readonly code: number;
}

/** Reads the call's id and the status code of a ServerFrame as the gateway writes it: fields in their order, defaults left out. */
export function readReplyHead(frame: Buffer): ReplyHead {
  let at = 1;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = frame[at] ?? 0;
      at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value >>> 0;
      }
    }
  };
  varint();
  const field = (tag: number): number => {
    if (frame[at] !== tag) {
      return 0;
    }
    at += 1;
    return varint();
  };
  return { callId: field(0x08), code: field(0x10) };
}
