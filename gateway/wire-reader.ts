/** The wire types of protobuf (https://protobuf.dev/programming-guides/encoding/#structure). */
export const WireType = { VARINT: 0, FIXED64: 1, BYTES: 2, START_GROUP: 3, END_GROUP: 4, FIXED32: 5 } as const;

/** A message is not well formed. */
export class MalformedError extends Error {
  override readonly name = "MalformedError";
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const MAX_GROUP_DEPTH = 100;

/**
 * Reads a protobuf message field by field and refuses what is not well formed: lengths beyond the end, varints over ten bytes,
 * field number 0, unbalanced groups, strings that are no UTF-8. (ts-proto's decoders let some of that pass.)
 */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Of the field that `next` found. */
  field = 0;
  wireType = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Goes to the next field; false at the end. @throws MalformedError */
  next(): boolean {
    if (this.#at === this.#bytes.length) {
      return false;
    }
    this.#readTag();
    return true;
  }

  /** A uint32: as protobuf has it, the low 32 bits of a varint. @throws MalformedError */
  uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 35) {
        value |= (byte & 0x7f) << shift;
      }
      if (byte < 0x80) {
        return value >>> 0;
      }
    }
    throw new MalformedError("a varint of over ten bytes");
  }

  /** The content of a length-delimited field, not copied. @throws MalformedError */
  bytes(): Uint8Array {
    const length = this.uint32();
    if (length > this.#bytes.length - this.#at) {
      throw new MalformedError("a length beyond the end");
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A string. @throws MalformedError */
  string(): string {
    try {
      return UTF8.decode(this.bytes());
    } catch {
      throw new MalformedError("a string that is no UTF-8");
    }
  }

  /** Passes over the field that `next` found. @throws MalformedError */
  skip(depth = 0): void {
    switch (this.wireType) {
      case WireType.VARINT:
        this.uint32();
        return;
      case WireType.FIXED64:
        this.#pass(8);
        return;
      case WireType.BYTES:
        this.bytes();
        return;
      case WireType.START_GROUP:
        this.#skipGroup(this.field, depth);
        return;
      case WireType.FIXED32:
        this.#pass(4);
        return;
      default:
        throw new MalformedError("no such wire type here");
    }
  }

  #skipGroup(group: number, depth: number): void {
    if (depth === MAX_GROUP_DEPTH) {
      throw new MalformedError("groups nested too deeply");
    }
    this.#readTag();
    while (this.wireType !== WireType.END_GROUP) {
      this.skip(depth + 1);
      this.#readTag();
    }
    if (this.field !== group) {
      throw new MalformedError("a group that ends as another");
    }
  }

  #readTag(): void {
    const tag = this.uint32();
    this.field = tag >>> 3;
    this.wireType = tag & 7;
    if (this.field === 0) {
      throw new MalformedError("field number 0");
    }
  }

  #pass(length: number): void {
    if (length > this.#bytes.length - this.#at) {
      throw new MalformedError("a field beyond the end");
    }
    this.#at += length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) {
      throw new MalformedError("an end within a varint");
    }
    this.#at += 1;
    return byte;
  }
}
