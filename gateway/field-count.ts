import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { MalformedError, WireReader, WireType } from "./wire-reader.ts";

const MAX_DEPTH = 100;

/**
 * Whether a message has more fields than `most`, those of its messages and of groups that nobody knows among them, or is nested more deeply
 * than anybody needs: how much a decoder would have to build. It stops where it knows.
 * @throws MalformedError also for a known field in a wire type that is not its own: a decoder that takes it for its own reads on elsewhere.
 */
export function hasMoreFields(most: number, desc: DescMessage, bytes: Uint8Array): boolean {
  return spend(most, desc, bytes, 0) < 0;
}

/** What is left of so many fields after a message; below 0: it has more. */
function spend(fields: number, desc: DescMessage, bytes: Uint8Array, depth: number): number {
  if (depth > MAX_DEPTH) {
    return -1;
  }
  const reader = new WireReader(bytes);
  let left = fields;
  let groups = 0;
  while (left >= 0 && reader.next()) {
    left -= 1;
    // What is in a group is known to nobody, whatever its numbers.
    const known = groups === 0 ? desc.fields.find(({ number }) => number === reader.field) : undefined;
    if (known !== undefined && !wireTypesOf(known).includes(reader.wireType)) {
      throw new MalformedError("a field in another wire type than its own");
    }
    if (reader.wireType === WireType.START_GROUP) {
      groups += 1;
      left = groups > MAX_DEPTH ? -1 : left;
    } else if (reader.wireType === WireType.END_GROUP && groups > 0) {
      groups -= 1;
    } else if (known?.message !== undefined && known.fieldKind !== "map") {
      left = spend(left, known.message, reader.bytes(), depth + 1);
    } else if (known !== undefined && isOfMany(known) && reader.wireType === WireType.BYTES) {
      // A packed list or the entry of a map: it has at most as many values as bytes.
      left -= reader.bytes().length;
    } else {
      reader.skip();
    }
  }
  return left;
}

/** The wire types in which a field may come. */
function wireTypesOf(field: DescField): readonly number[] {
  if (field.fieldKind === "message" || field.fieldKind === "map" || field.message !== undefined) {
    return [WireType.BYTES];
  }
  const own = field.scalar === undefined ? WireType.VARINT : (WIRE_TYPES[field.scalar] ?? WireType.VARINT);
  return field.fieldKind === "list" ? [own, WireType.BYTES] : [own];
}

/** Those of scalars that are not varints. */
const WIRE_TYPES: Readonly<Partial<Record<ScalarType, number>>> = {
  [ScalarType.STRING]: WireType.BYTES,
  [ScalarType.BYTES]: WireType.BYTES,
  [ScalarType.DOUBLE]: WireType.FIXED64,
  [ScalarType.FIXED64]: WireType.FIXED64,
  [ScalarType.SFIXED64]: WireType.FIXED64,
  [ScalarType.FLOAT]: WireType.FIXED32,
  [ScalarType.FIXED32]: WireType.FIXED32,
  [ScalarType.SFIXED32]: WireType.FIXED32,
};

function isOfMany(field: DescField): boolean {
  const isText = field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES;
  return field.fieldKind === "map" || (field.fieldKind === "list" && !isText);
}
