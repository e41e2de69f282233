import { type DescField, type DescMessage, type DescOneof, ScalarType } from "@bufbuild/protobuf";
import type { FieldRules, Policies } from "./policies.ts";

/** A TypeScript expression that makes a value in proto3 JSON; undefined: the field is left out. */
export type Expression = string;

/** Fields by their JSON names. */
type Entries = ReadonlyMap<string, Expression>;

const UNBOUNDED_ITEMS = 2n;
const FREE_TEXT = 8n;
const LARGEST: Partial<Record<ScalarType, string>> = {
  [ScalarType.UINT32]: "4294967295",
  // The largest that a JavaScript number holds exactly.
  [ScalarType.UINT64]: '"9007199254740991"',
  [ScalarType.BOOL]: "true",
};

/** The smallest message that keeps the rules: only what must be there, as short as it may be. */
export function minimal(message: DescMessage, policies: Policies): Expression {
  return print(minimalEntries(message, policies));
}

/** The smallest message, but with one field as given. The other alternatives of its oneof are left out; of a oneof, the zero value is written. */
export function minimalWith(field: DescField, value: Expression | undefined, policies: Policies): Expression {
  const entries = new Map(minimalEntries(field.parent, policies));
  for (const other of field.oneof?.fields ?? [field]) {
    entries.delete(other.jsonName);
  }
  const written = value ?? (field.oneof !== undefined && field.message === undefined ? zero(field) : undefined);
  if (written !== undefined) {
    entries.set(field.jsonName, written);
  }
  return print(entries);
}

/** The smallest message without any alternative of a oneof. */
export function minimalWithout(oneof: DescOneof, policies: Policies): Expression {
  const names = oneof.fields.map((field) => field.jsonName);
  return print(new Map([...minimalEntries(oneof.parent, policies)].filter(([name]) => !names.includes(name))));
}

/** Messages with every field set, at its upper bound; one for each alternative of the first oneof. */
export function maximals(message: DescMessage, policies: Policies): readonly { choice: string; expression: Expression }[] {
  const [first] = message.oneofs;
  const choices: readonly (DescField | undefined)[] = first?.fields ?? [undefined];
  return choices.map((choice) => {
    const chosen = message.fields.filter(
      (field) => field.oneof === undefined || field === (field.oneof === first ? choice : field.oneof.fields[0]),
    );
    const entries = chosen.map((field) => [field.jsonName, maximalField(field, policies)] as const);
    return { choice: choice?.localName ?? "", expression: print(new Map(entries)) };
  });
}

/** A list of the smallest items. */
export function itemList(field: DescField, count: bigint, policies: Policies): Expression {
  return `many(${count}, (i) => (${minimalItem(field, policies)}))`;
}

/** The smallest item of a list, or the smallest value of a field that must be set. */
export function minimalItem(field: DescField, policies: Policies): Expression {
  return field.message === undefined ? (minimalValue(field, policies.field(field)) ?? zero(field)) : knownMessage(field.message, policies);
}

/** The zero value of a field's type. */
export function zero(field: DescField): Expression {
  if (isText(field) || isBytes(field)) {
    return '""';
  }
  return "scalar" in field && field.scalar === ScalarType.BOOL ? "false" : "0";
}

/** Whether a field, or the items of its list, are strings. */
export function isText(field: DescField): boolean {
  return "scalar" in field && field.scalar === ScalarType.STRING;
}

/** Whether a field, or the items of its list, are bytes. */
export function isBytes(field: DescField): boolean {
  return "scalar" in field && field.scalar === ScalarType.BYTES;
}

function minimalEntries(message: DescMessage, policies: Policies): Entries {
  const needed = message.fields.filter((field) =>
    field.oneof === undefined
      ? isNeeded(field, policies.field(field))
      : policies.oneofRequired(field.oneof) && field === field.oneof.fields[0],
  );
  return new Map(needed.map((field) => [field.jsonName, minimalField(field, policies)]));
}

function isNeeded(field: DescField, rules: FieldRules): boolean {
  if (field.fieldKind === "list") {
    return rules.required || (rules.items?.min ?? 0n) > 0n;
  }
  return (
    rules.required || rules.uuid || rules.declared || [rules.codePoints, rules.bytes, rules.value].some((range) => (range?.min ?? 0n) > 0n)
  );
}

function minimalField(field: DescField, policies: Policies): Expression {
  if (field.fieldKind === "map") {
    throw new Error(`${field.toString()}: no sample of a map can be made`);
  }
  if (field.fieldKind === "list") {
    const least = policies.field(field).items?.min ?? 1n;
    return itemList(field, least > 0n ? least : 1n, policies);
  }
  return minimalItem(field, policies);
}

function minimalValue(field: DescField, rules: FieldRules): Expression | undefined {
  if (rules.uuid) {
    return field.fieldKind === "list" ? "uuid(i)" : `uuid(${field.number})`;
  }
  if (isText(field)) {
    return `text(${rules.codePoints?.min || 1n})`;
  }
  if (isBytes(field)) {
    return `bytes(${rules.bytes?.min || 1n})`;
  }
  if (rules.declared && field.enum) {
    return String(field.enum.values.find((value) => value.number !== 0)?.number ?? 0);
  }
  return rules.value ? String(rules.value.min) : undefined;
}

function maximalField(field: DescField, policies: Policies): Expression {
  const rules = policies.field(field);
  if (field.fieldKind === "map") {
    throw new Error(`${field.toString()}: no sample of a map can be made`);
  }
  if (field.fieldKind !== "list") {
    return field.message === undefined ? maximalValue(field, rules) : maximalMessage(field.message, policies);
  }
  if (field.message !== undefined) {
    // One of the largest is enough: a hundred would not fit into a frame.
    return `[${maximalMessage(field.message, policies)}]`;
  }
  return `many(${rules.items?.max ?? UNBOUNDED_ITEMS}, (i) => (${maximalValue(field, rules)}))`;
}

function maximalValue(field: DescField, rules: FieldRules): Expression {
  if (rules.uuid) {
    return field.fieldKind === "list" ? "uuid(i)" : `uuid(${field.number})`;
  }
  if (isText(field)) {
    return `text(${rules.codePoints?.max ?? FREE_TEXT})`;
  }
  if (isBytes(field)) {
    return `bytes(${rules.bytes?.max ?? FREE_TEXT})`;
  }
  if (field.enum) {
    return String(Math.max(...field.enum.values.map((value) => value.number)));
  }
  const largest = "scalar" in field && field.scalar !== undefined ? LARGEST[field.scalar] : undefined;
  if (rules.value === undefined && largest === undefined) {
    throw new Error(`${field.toString()}: no sample of its type can be made`);
  }
  return rules.value ? String(rules.value.max) : (largest ?? "0");
}

function maximalMessage(message: DescMessage, policies: Policies): Expression {
  return message.typeName.startsWith("sallyport.") ? (maximals(message, policies)[0]?.expression ?? "{}") : knownMessage(message, policies);
}

function knownMessage(message: DescMessage, policies: Policies): Expression {
  if (message.typeName === "google.protobuf.Timestamp") {
    return '"2026-01-02T03:04:05.006Z"';
  }
  if (!message.typeName.startsWith("sallyport.")) {
    throw new Error(`${message.typeName}: no sample of it can be made`);
  }
  return minimal(message, policies);
}

function print(entries: Entries): Expression {
  return entries.size === 0 ? "{}" : `{ ${[...entries].map(([name, value]) => `${name}: ${value}`).join(", ")} }`;
}
