import type { JsonObject } from "@bufbuild/protobuf";
import type { MethodPolicy } from "./method.ts";

/** A request in proto3 JSON, made when it is asked for: some are large. */
export interface RequestSample {
  /** What is special about it, for example "dev.name of 64 code points". */
  readonly title: string;
  readonly json: () => JsonObject;
}

/** A request that breaks one rule. */
export interface BadRequestSample extends RequestSample {
  /** The path of the field whose rule it breaks, in lowerCamelCase, for example "messages[1].receipt". */
  readonly field: string;
}

/** What the protos promise of a unary method: who may call it, what it takes and what it refuses. */
export interface MethodContract extends Pick<MethodPolicy, "path" | "owner" | "audience" | "credential" | "route"> {
  /** The full names of its messages. */
  readonly request: string;
  readonly response: string;
  /** Requests that keep every rule: the least, the most, and each bound by itself. */
  readonly good: readonly RequestSample[];
  readonly bad: readonly BadRequestSample[];
}

/** A field as it is on the wire. */
export interface FieldShape {
  readonly name: string;
  readonly jsonName: string;
  readonly number: number;
  readonly kind: "scalar" | "enum" | "message" | "map";
  /** A scalar's name ("uint32"), a message's or an enum's full name; of a map, that of its values. */
  readonly type: string;
  readonly list: boolean;
}

/** A message as it is on the wire. */
export interface MessageShape {
  readonly name: string;
  readonly fields: readonly FieldShape[];
}

/** The n-th of the UUIDs in samples. */
export function uuid(n: number): string {
  return `5a11a0de-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
}

/** So many Unicode code points, each of two UTF-16 units and four bytes. */
export function text(codePoints: number): string {
  return "\u{1f6aa}".repeat(codePoints);
}

/** So many bytes, in base64. */
export function bytes(length: number): string {
  return Buffer.alloc(length, 0xa5).toString("base64");
}

/** A list of so many items. */
export function many<T>(count: number, item: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => item(index));
}
