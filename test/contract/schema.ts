import {
  createFileRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { image } from "../../proto/gen/policy/image.ts";

/** All protos, for what the tests encode without the generated code that they check. */
export const registry: FileRegistry = createFileRegistry(fromBinary(FileDescriptorSetSchema, base64Decode(image)));

/** A message's descriptor by its full name. */
export function messageOf(name: string): DescMessage {
  const message = registry.getMessage(name);
  if (message === undefined) {
    throw new Error(`the protos have no message ${name}`);
  }
  return message;
}

/** The bytes of a message that is given in proto3 JSON. */
export function encodeJson(name: string, json: JsonValue): Uint8Array {
  return toBinary(messageOf(name), fromJson(messageOf(name), json, { registry }));
}

/** The proto3 JSON of a message that is given in bytes. */
export function decodeJson(name: string, bytes: Uint8Array, options: { enumAsInteger?: boolean } = {}): JsonValue {
  return toJson(messageOf(name), fromBinary(messageOf(name), bytes), { registry, ...options });
}
