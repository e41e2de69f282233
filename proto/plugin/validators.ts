import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { GeneratedFile } from "@bufbuild/protoplugin";
import type { FieldRules, Policies } from "./policies.ts";

/** The name of the function that checks a message. */
export function validatorName(message: DescMessage): string {
  return `check${message.file.proto.package
    .split(".")
    .slice(1, 2)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("")}${message.name}`;
}

/** Prints the function that checks a message against the rules of its fields. */
export function printValidator(file: GeneratedFile, message: DescMessage, policies: Policies, type: string): void {
  const lines = [
    ...message.fields
      .filter((field) => field.oneof === undefined)
      .flatMap((field) => fieldLines(field, policies, `message.${field.localName}`, "  ")),
    ...message.oneofs.flatMap((oneof) => [
      ...(policies.oneofRequired(oneof)
        ? [`  rules.required(found, \`\${path}${oneof.localName}\`, message.${oneof.localName} !== undefined);`]
        : []),
      ...oneof.fields.flatMap((field) => {
        const inner = fieldLines(field, policies, `message.${oneof.localName}.value`, "    ");
        return inner.length === 0 ? [] : [`  if (message.${oneof.localName}?.$case === "${field.localName}") {`, ...inner, "  }"];
      }),
    ]),
  ];
  file.print();
  if (lines.length === 0) {
    file.print(`function ${validatorName(message)}(_message: ${type}, _path: string, _found: Violation[]): void {}`);
    return;
  }
  file.print(`function ${validatorName(message)}(message: ${type}, path: string, found: Violation[]): void {`);
  for (const line of lines) {
    file.print(line);
  }
  file.print("}");
}

function fieldLines(field: DescField, policies: Policies, value: string, indent: string): string[] {
  const rules = policies.field(field);
  const path = `\`\${path}${field.localName}\``;
  if (field.fieldKind === "map") {
    const item = field.message === undefined ? [] : mapValueLines(field.message, `\`\${path}${field.localName}[\${key}].\``, indent);
    return [
      ...(rules.required ? [`${indent}rules.required(found, ${path}, Object.keys(${value}).length > 0);`] : []),
      ...(item.length > 0 ? [`${indent}for (const [key, item] of Object.entries(${value})) {`, ...item, `${indent}}`] : []),
    ];
  }
  if (field.fieldKind === "list") {
    return [
      ...(rules.required ? [`${indent}rules.required(found, ${path}, ${value}.length > 0);`] : []),
      ...countedItemLines(rules, path, value, indent, (inner) => itemLines(field, rules, value, inner)),
    ];
  }
  const required = rules.required ? [`${indent}rules.required(found, ${path}, ${presence(field, value)});`] : [];
  return [...required, ...valueLines(field, rules, value, path, indent)];
}

/** Items are looked at only when there are as many as there may be: a list of millions costs nothing more. */
function countedItemLines(
  { items }: FieldRules,
  path: string,
  value: string,
  indent: string,
  linesOf: (indent: string) => string[],
): string[] {
  if (items === undefined) {
    return linesOf(indent);
  }
  const count = `rules.itemCount(found, ${path}, ${value}.length, ${items.min}, ${items.max})`;
  const inner = linesOf(`${indent}  `);
  return inner.length === 0 ? [`${indent}${count};`] : [`${indent}if (${count}) {`, ...inner, `${indent}}`];
}

function itemLines(field: DescField, rules: FieldRules, value: string, indent: string): string[] {
  const item = valueLines(field, rules, "item", `\`\${path}${field.localName}[\${index}]\``, `${indent}  `);
  return item.length > 0 ? [`${indent}for (const [index, item] of ${value}.entries()) {`, ...item, `${indent}}`] : [];
}

function mapValueLines(message: DescMessage, prefix: string, indent: string): string[] {
  return message.typeName.startsWith("sallyport.") ? [`${indent}  ${validatorName(message)}(item, ${prefix}, found);`] : [];
}

function presence(field: DescField, value: string): string {
  if (field.fieldKind === "message") {
    return `${value} !== undefined`;
  }
  return field.fieldKind === "scalar" && (field.scalar === 9 || field.scalar === 12) ? `${value}.length > 0` : `${value} !== 0`;
}

function valueLines(field: DescField, rules: FieldRules, value: string, path: string, indent: string): string[] {
  if (field.message !== undefined) {
    if (!field.message.typeName.startsWith("sallyport.")) {
      return [];
    }
    const call = `${validatorName(field.message)}(${value}, \`\${${path}}.\`, found);`.replace(/\$\{`(.*?)`\}/, "$1");
    return field.fieldKind === "message" && field.oneof === undefined
      ? [`${indent}if (${value} !== undefined) {`, `${indent}  ${call}`, `${indent}}`]
      : [indent + call];
  }
  const bounded = (name: string, range: FieldRules["value"]): string[] =>
    range ? [`${indent}rules.${name}(found, ${path}, ${value}, ${range.min}, ${range.max});`] : [];
  return [
    ...(rules.uuid ? [`${indent}rules.uuid(found, ${path}, ${value});`] : []),
    ...bounded("codePoints", rules.codePoints),
    ...bounded("byteLength", rules.bytes),
    ...bounded("bounds", rules.value),
    ...(rules.declared && field.enum
      ? [`${indent}rules.declared(found, ${path}, ${value}, [${field.enum.values.map((known) => known.number).join(", ")}]);`]
      : []),
  ];
}
