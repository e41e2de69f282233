import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { FieldRules, Policies, Range } from "./policies.ts";
import { type Expression, isText, itemList, minimal, minimalItem, minimalWith, minimalWithout, zero } from "./samples.ts";

/** A request that differs from the smallest good one in one place. */
export interface Variant {
  readonly title: string;
  /** The path of the field whose rule it breaks; undefined: it keeps them all. */
  readonly broken: string | undefined;
  readonly expression: Expression;
}

/** One value of a field: what it is, whether the field's rules allow it, and itself (undefined: the zero value, left out). */
interface Value {
  readonly title: string;
  readonly good: boolean;
  readonly value: Expression | undefined;
}

/** Puts a message of a request into the request. */
type Wrap = (inner: Expression) => Expression;

/** For every rule of a message, and of the messages in it: what just keeps it and what just breaks it. */
export function variantsOf(message: DescMessage, policies: Policies, prefix = "", wrap: Wrap = (inner) => inner): readonly Variant[] {
  return [
    ...message.oneofs
      .filter((oneof) => policies.oneofRequired(oneof))
      .map((oneof) => ({
        title: `${prefix}${oneof.localName} left out`,
        broken: prefix + oneof.localName,
        expression: wrap(minimalWithout(oneof, policies)),
      })),
    ...message.fields.flatMap((field) => fieldVariants(field, policies, prefix + field.localName, wrap)),
  ];
}

function fieldVariants(field: DescField, policies: Policies, path: string, wrap: Wrap): readonly Variant[] {
  const rules = policies.field(field);
  const put: Wrap = (value) => wrap(minimalWith(field, value, policies));
  const toVariant = ({ title, good, value }: Value): Variant => ({
    title: `${path} ${title}`,
    broken: good ? undefined : path,
    expression: wrap(minimalWith(field, value, policies)),
  });
  const missing = rules.required ? [{ title: "left out", good: false, value: undefined }] : [];
  if (field.fieldKind === "list") {
    const counts = bounded(rules.items, "items", (count) => itemList(field, count, policies));
    return [...[...missing, ...counts].map(toVariant), ...itemVariants(field, policies, path, put)];
  }
  if (field.message !== undefined) {
    return [...missing.map(toVariant), ...innerVariants(field.message, policies, `${path}.`, put)];
  }
  return [...missing, ...valuesOf(field, rules)].map(toVariant);
}

// The item in question is the second, so that its index shows.
function itemVariants(field: DescField & { fieldKind: "list" }, policies: Policies, path: string, put: Wrap): readonly Variant[] {
  const behindAGoodOne: Wrap = (item) => put(`[${minimalItem(field, policies).replaceAll("uuid(i)", "uuid(0)")}, ${item}]`);
  if (field.message !== undefined) {
    return innerVariants(field.message, policies, `${path}[1].`, behindAGoodOne);
  }
  return valuesOf(field, policies.field(field)).map(({ title, good, value }) => ({
    title: `${path}[1] ${title}`,
    broken: good ? undefined : `${path}[1]`,
    expression: behindAGoodOne(value ?? zero(field)),
  }));
}

function innerVariants(message: DescMessage, policies: Policies, prefix: string, wrap: Wrap): readonly Variant[] {
  return message.typeName.startsWith("sallyport.")
    ? [
        { title: `${prefix.slice(0, -1)} set`, broken: undefined, expression: wrap(minimal(message, policies)) },
        ...variantsOf(message, policies, prefix, wrap),
      ]
    : [];
}

function valuesOf(field: DescField, rules: FieldRules): readonly Value[] {
  const highest = Math.max(...(field.enum?.values ?? []).map((value) => value.number));
  return [
    ...(rules.uuid ? uuids() : []),
    ...bounded(rules.codePoints, "code points", (length) => `text(${length})`),
    ...bounded(rules.bytes, "bytes", (length) => `bytes(${length})`),
    ...bounded(rules.value, "as its value", String),
    ...(rules.declared
      ? [
          { title: "zero", good: false, value: undefined },
          { title: "highest value", good: true, value: String(highest) },
          { title: "undeclared", good: false, value: String(highest + 1) },
        ]
      : []),
    ...(rules.free && isText(field) ? [{ title: "long", good: true, value: "text(100)" }] : []),
  ];
}

function uuids(): readonly Value[] {
  const bad = (title: string, value: Expression | undefined): Value => ({ title, good: false, value });
  return [
    bad("empty", undefined),
    bad("a word", '"alice"'),
    bad("without hyphens", 'uuid(1).replaceAll("-", "")'),
    bad("of a letter beyond f", 'uuid(1).replace("a", "g")'),
    bad("too long", 'uuid(1) + "0"'),
    bad("in braces", '"{" + uuid(1) + "}"'),
    { title: "in upper case", good: true, value: "uuid(1).toUpperCase()" },
  ];
}

function bounded(range: Range | undefined, unit: string, make: (size: bigint) => Expression): readonly Value[] {
  if (range === undefined) {
    return [];
  }
  const at = (size: bigint, good: boolean): Value => ({ title: `of ${size} ${unit}`, good, value: size === 0n ? undefined : make(size) });
  return [
    ...(range.min > 0n ? [at(range.min - 1n, false)] : []),
    at(range.min, true),
    ...(range.max > range.min ? [at(range.max, true)] : []),
    at(range.max + 1n, false),
  ];
}
