import type { Violation } from "./method.ts";

/** The primitives that the generated validators call. Each adds what `field` breaks to `found`. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The field is not its type's default. */
export function required(found: Violation[], field: string, present: boolean): void {
  if (!present) {
    found.push({ field, description: "is required" });
  }
}

/** A UUID in the form of RFC 9562 section 4. */
export function uuid(found: Violation[], field: string, value: string): void {
  if (!UUID.test(value)) {
    found.push({ field, description: "must be a UUID" });
  }
}

/** The length of a string in Unicode code points. */
export function codePoints(found: Violation[], field: string, value: string, min: number, max: number): void {
  // A code point is one or two UTF-16 units, so most texts need no count.
  const units = value.length;
  const length = units <= max && units / 2 >= min ? units : units > max * 2 ? units : [...value].length;
  within(found, field, length, min, max, "code points");
}

/** The length of a bytes field. */
export function byteLength(found: Violation[], field: string, value: Uint8Array, min: number, max: number): void {
  within(found, field, value.length, min, max, "bytes");
}

/** The number of a list's items. Answers whether it is right. */
export function itemCount(found: Violation[], field: string, count: number, min: number, max: number): boolean {
  return within(found, field, count, min, max, "items");
}

/** A number's bounds. */
export function bounds(found: Violation[], field: string, value: number, min: number, max: number): void {
  if (value < min || value > max) {
    found.push({ field, description: `must be from ${min} to ${max}` });
  }
}

/** A declared value of an enum, other than its zero value. */
export function declared(found: Violation[], field: string, value: number, values: readonly number[]): void {
  if (value === 0 || !values.includes(value)) {
    found.push({ field, description: "must be a declared value" });
  }
}

function within(found: Violation[], field: string, size: number, min: number, max: number, unit: string): boolean {
  const isWithin = size >= min && size <= max;
  if (!isWithin) {
    found.push({ field, description: `must be ${min} to ${max} ${unit} long` });
  }
  return isWithin;
}
