/** One value of an exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric of an exposition. */
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HELP = new RegExp(`^# HELP (${NAME}) (.*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`);
const LABEL = '([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\[\\\\"n])*)"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (NaN|[+-]Inf|[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:e[+-]?\\d+)?)$`);
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ["_bucket", "_sum", "_count"], summary: ["", "_sum", "_count"] };

/**
 * Reads Prometheus' text format 0.0.4, and nothing that only looks like it: every family once, HELP and TYPE before its values, no value
 * twice, histograms whose buckets grow up to their count. @throws Error naming the line.
 */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  const lines = text.split("\n");
  if (lines.pop() !== "") {
    throw new Error("the last line has no end");
  }
  const reader = new Reader();
  for (const line of lines) {
    const problem = reader.take(line);
    if (problem !== undefined) {
      throw new Error(`${problem}: ${line}`);
    }
  }
  for (const [name, { type, samples }] of reader.families) {
    if (type === "histogram") {
      checkHistogram(name, samples);
    }
  }
  return reader.families;
}

class Reader {
  readonly families = new Map<string, Family & { readonly samples: Sample[] }>();
  readonly #seen = new Set<string>();
  #help: readonly string[] = [];
  #current = "";

  /** Answers what is wrong with a line. */
  take(line: string): string | undefined {
    const [help, type, sample] = [HELP.exec(line), TYPE.exec(line), SAMPLE.exec(line)];
    if (help !== null) {
      this.#help = help;
      return undefined;
    }
    if (type !== null) {
      return this.#begin(type[1] ?? "", type[2] ?? "");
    }
    return sample === null ? "not a line of the format" : this.#add(sample[1] ?? "", sample[2] ?? "", sample.at(-1) ?? "");
  }

  #begin(name: string, type: string): string | undefined {
    const [, described = "", help = ""] = this.#help;
    if (described !== name || this.families.has(name)) {
      return "a family twice, or without its HELP";
    }
    this.families.set(name, { type, help, samples: [] });
    this.#current = name;
    return undefined;
  }

  #add(name: string, labelText: string, valueText: string): string | undefined {
    const family = this.families.get(this.#current);
    const suffixes = SUFFIXES[family?.type ?? ""] ?? [""];
    if (family === undefined || !suffixes.some((suffix) => name === this.#current + suffix)) {
      return "a value away from its family";
    }
    const sample = { name, labels: readLabels(labelText), value: readNumber(valueText) };
    const key = `${name} ${sortedLabels(sample.labels)}`;
    if (this.#seen.has(key)) {
      return "a value twice";
    }
    this.#seen.add(key);
    family.samples.push(sample);
    return undefined;
  }
}

function sortedLabels(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The value of a family whose labels hold all that are given; undefined when there is none. @throws Error when there are several. */
export function readValue(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const fitting = [...families.values()]
    .flatMap(({ samples }) => samples)
    .filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value));
  if (fitting.length > 1) {
    throw new Error(`several values of ${name}`);
  }
  return fitting[0]?.value;
}

function readLabels(text: string): Record<string, string> {
  const labels = [...text.matchAll(new RegExp(LABEL, "g"))].map(([, name = "", value = ""]) => [name, unescapeLabel(value)] as const);
  if (new Set(labels.map(([name]) => name)).size !== labels.length) {
    throw new Error(`a label twice: ${text}`);
  }
  return Object.fromEntries(labels);
}

function unescapeLabel(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}

function readNumber(text: string): number {
  return text.endsWith("Inf") ? Number(`${text}inity`) : Number(text);
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const last = new Map<string, { le: number; count: number }>();
  const keyOf = ({ le: _, ...labels }: Readonly<Record<string, string>>): string => sortedLabels(labels);
  for (const { name: own, labels, value } of samples) {
    const key = keyOf(labels);
    const before = last.get(key) ?? { le: Number.NEGATIVE_INFINITY, count: 0 };
    if (own === `${name}_bucket`) {
      const le = readNumber(labels["le"] ?? "");
      if (!(le > before.le) || value < before.count) {
        throw new Error(`the buckets of ${name} do not grow: ${key}`);
      }
      last.set(key, { le, count: value });
    } else if (own === `${name}_count` && (before.le !== Number.POSITIVE_INFINITY || before.count !== value)) {
      throw new Error(`the buckets of ${name} do not end with its count: ${key}`);
    }
  }
}
