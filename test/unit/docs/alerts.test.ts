import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect } from "chai";
import { methods } from "../../../proto/gen/policy/services.ts";
import { ROOT, readSourceTree } from "../../support/source-tree.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Mocha reads its configuration with it. */
const yaml = createRequire(createRequire(import.meta.url).resolve("mocha"))("js-yaml") as { load(text: string): unknown };

const FUNCTIONS = ["sum", "max", "min", "by", "rate", "increase", "changes", "absent", "time", "histogram_quantile"];
const LABELS = new Set(["role", "copy", "service", "kind", "status", "method", "what", "where", "le", "fault", "outcome"]);

const { groups } = yaml.load(readFileSync(join(ROOT, "docs/alerts.yml"), "utf8")) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

describe("the alert rules", () => {
  it("each have a name of their own, an expression, how bad it is, what it means and what to do", () => {
    const faulty = rules.filter(
      ({ alert, expr, labels, annotations, ...rest }) =>
        !/^Sallyport[A-Z]\w+$/.test(alert) ||
        expr.trim() === "" ||
        !["critical", "warning", "info"].includes(labels["severity"] ?? "") ||
        !(annotations["summary"] && annotations["action"]) ||
        Object.keys(rest).some((key) => key !== "for") ||
        !/^\d+[smh]$/.test(rest.for ?? "0s"),
    );

    expect(faulty.map(({ alert }) => alert)).to.deep.equal([]);
    expect(new Set(rules.map(({ alert }) => alert)).size).to.equal(rules.length);
    expect(rules.length).to.be.greaterThan(15);
  });

  it("name only metrics that there are", () => {
    const known = knownMetrics();

    const named = rules.flatMap(({ expr }) => expr.match(/\bsallyport_\w+/g) ?? []);

    expect(known.size).to.be.greaterThan(40);
    expect(named.filter((name) => !known.has(name))).to.deep.equal([]);
  });

  it("name only methods that there are", () => {
    const named = rules.flatMap(({ expr }) => [...expr.matchAll(/method="([^"]*)"/g)].map(([, path]) => path ?? ""));

    expect(named).to.not.deep.equal([]);
    expect(named.filter((path) => !allMethods().includes(path))).to.deep.equal([]);
  });

  it("are written in words of the query language and labels that there are", () => {
    const words = rules.flatMap(
      ({ expr }) => expr.replace(/"[^"]*"|\bsallyport_\w+|\[\d+[smh]\]|\b[\d.]+\b/g, " ").match(/[a-z]\w*/gi) ?? [],
    );

    expect(words.filter((word) => !FUNCTIONS.includes(word) && !LABELS.has(word))).to.deep.equal([]);
    expect(rules.filter(({ expr }) => !isBalanced(expr)).map(({ alert }) => alert)).to.deep.equal([]);
  });
});

/** Every name that a process registers, with what a histogram makes of it. */
function knownMetrics(): ReadonlySet<string> {
  const text = readSourceTree()
    .filter(({ path }) => /^(gateway|services|platform)\//.test(path))
    .map((file) => file.text)
    .join("\n");
  const named = (call: RegExp): string[] => [...text.matchAll(call)].map(([, name]) => name ?? "");
  const calls = named(/createCallMetrics\(\s*\w+,\s*"(sallyport_\w+)"/g);
  const histograms = [...named(/\.histogram\(\s*"(sallyport_\w+)"/g), ...calls.map((name) => `${name}_duration_seconds`)];
  return new Set([
    ...named(/\.(?:counter|gauge)\(\s*"(sallyport_\w+)"/g),
    ...named(/const name = "(sallyport_scrape_up)"/g),
    ...calls.map((name) => `${name}_total`),
    ...histograms.flatMap((name) => ["_bucket", "_sum", "_count"].map((suffix) => name + suffix)),
  ]);
}

function allMethods(): readonly string[] {
  const { text = "" } = readSourceTree().find(({ path }) => path === "proto/gen/policy/contract.ts") ?? {};
  return [...methods.keys(), ...[...text.matchAll(/path: "([^"]+)"/g)].map(([, path]) => path ?? "")];
}

function isBalanced(text: string): boolean {
  const closing: Readonly<Record<string, string>> = { "(": ")", "{": "}", "[": "]" };
  const open: string[] = [];
  for (const character of text.replace(/"[^"]*"/g, "")) {
    if (closing[character] !== undefined) {
      open.push(closing[character]);
    } else if (")}]".includes(character) && open.pop() !== character) {
      return false;
    }
  }
  return open.length === 0;
}
