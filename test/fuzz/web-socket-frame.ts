/** The opcodes of data frames (RFC 6455 section 5.2). */
export const TEXT = 1;
export const BINARY = 2;
const CLOSE = 8;

/** A frame as a client sends it (RFC 6455 section 5.2), masked with zeros so that its content can be read on the wire. */
export function clientFrame(opcode: number, content: Buffer): Buffer {
  const { length } = content;
  const header = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  header[0] = 0x80 | opcode;
  if (length < 126) {
    header[1] = 0x80 | length;
  } else if (length < 65_536) {
    header[1] = 0x80 | 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 0x80 | 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, content]);
}

/** What the server sent. */
export type ServerFrame = { readonly opcode: number; readonly content: Buffer } | { readonly closed: number };

/** Takes the whole frames off the front of what has come; answers the rest. */
export function takeFrames(bytes: Buffer): { readonly frames: readonly ServerFrame[]; readonly rest: Buffer } {
  const frames: ServerFrame[] = [];
  let rest = bytes;
  for (;;) {
    const short = (rest[1] ?? 0) & 0x7f;
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (rest.length < start) {
      return { frames, rest };
    }
    const length = short === 126 ? rest.readUInt16BE(2) : short === 127 ? Number(rest.readBigUInt64BE(2)) : short;
    if (rest.length < start + length) {
      return { frames, rest };
    }
    const content = rest.subarray(start, start + length);
    const opcode = (rest[0] ?? 0) & 0x0f;
    frames.push(opcode === CLOSE ? { closed: length < 2 ? 1005 : content.readUInt16BE(0) } : { opcode, content: Buffer.from(content) });
    rest = rest.subarray(start + length);
  }
}
