import type { FieldShape } from "../../proto/contract.ts";

/** A field that no message of ours has, and never will: it has the highest number that there is. */
export const UNKNOWN_FIELD: Buffer = Buffer.concat([tag(536_870_911, 2), Buffer.from([3, 1, 2, 3])]);

/** A value of a type, as it is in a decoded message, in JSON, and in bytes (https://protobuf.dev/programming-guides/encoding/). */
export interface Sample {
  readonly value: unknown;
  readonly json: unknown;
  /** As it follows the tag. */
  readonly wire: Buffer;
  readonly wireType: 0 | 1 | 2;
}

const VARINT_300 = Buffer.from("ac02", "hex");

/** A value for a field; undefined as `value` or `json`: whatever the message makes of nothing. */
export function sampleOf({ kind, type, list }: FieldShape): Sample {
  if (kind === "map") {
    return { value: undefined, json: { k: {} }, wire: Buffer.from("050a016b1200", "hex"), wireType: 2 };
  }
  if (kind === "message") {
    return {
      value: undefined,
      json: type === "google.protobuf.Timestamp" ? "1970-01-01T00:00:00Z" : {},
      wire: Buffer.from([0]),
      wireType: 2,
    };
  }
  if (kind === "enum") {
    return { value: 1, json: 1, wire: Buffer.from([1]), wireType: 0 };
  }
  const sample = SCALARS[type];
  if (sample === undefined || (list && sample.wireType !== 2)) {
    throw new Error(`no sample of ${list ? "a list of " : ""}${type}`);
  }
  return sample;
}

const SCALARS: Readonly<Record<string, Sample>> = {
  string: { value: "é", json: "é", wire: Buffer.from("02c3a9", "hex"), wireType: 2 },
  bytes: { value: Buffer.from([0xa5]), json: "pQ==", wire: Buffer.from("01a5", "hex"), wireType: 2 },
  uint32: { value: 300, json: 300, wire: VARINT_300, wireType: 0 },
  uint64: { value: 300, json: "300", wire: VARINT_300, wireType: 0 },
  double: { value: 1.5, json: 1.5, wire: Buffer.from("000000000000f83f", "hex"), wireType: 1 },
  bool: { value: true, json: true, wire: Buffer.from([1]), wireType: 0 },
};

/** The bytes before a field's value. */
export function tag(number: number, wireType: number): Buffer {
  const bytes: number[] = [];
  let rest = number * 8 + wireType;
  for (; rest > 127; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | 128);
  }
  return Buffer.from([...bytes, rest]);
}
