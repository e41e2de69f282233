import type { Variable, Variables } from "../platform/env.ts";

/** All variables of several tables by name; of a name that is in several, the first counts. */
export function mergeTables(tables: readonly Variables[]): readonly (readonly [name: string, variable: Variable<unknown>])[] {
  const merged = new Map<string, Variable<unknown>>();
  for (const [name, variable] of tables.flatMap((table) => Object.entries(table))) {
    merged.set(name, merged.get(name) ?? variable);
  }
  return [...merged];
}

/** The variables as a table for people: name, default, meaning. */
export function renderReference(tables: readonly Variables[]): string {
  const rows = mergeTables(tables).map(([name, variable]) => [name, variable.default || "-", variable.meaning] as const);
  const table = [["variable", "default", "meaning"] as const, ...rows];
  const nameWidth = Math.max(...table.map(([name]) => name.length));
  const defaultWidth = Math.max(...table.map(([, value]) => value.length));
  return table.map(([name, value, meaning]) => `${name.padEnd(nameWidth)}  ${value.padEnd(defaultWidth)}  ${meaning}`).join("\n");
}

/** The variables as the text of `.env.example`: each with its default, commented out. */
export function renderEnvExample(tables: readonly Variables[]): string {
  const header = [
    "# Every variable with its default; `sallyport config --env` prints this file.",
    "# A copy named .env is read with `node --env-file=.env dist/bin/sallyport.js start`.",
  ];
  const entries = mergeTables(tables).map(([name, { default: value, meaning }]) => `\n# ${meaning}\n# ${name}=${value}`);
  return [...header, ...entries, ""].join("\n");
}
