import type { MetricFamily, MetricLabel, MetricSample } from "../../proto/gen/sallyport/relay/v1/relay.ts";

/** The metrics of one process, and the labels that say which it is. */
export interface Source {
  readonly labels: readonly MetricLabel[];
  readonly families: readonly MetricFamily[];
}

/** The media type of what `renderMetrics` writes. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * The metrics of all sources as one exposition in Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/),
 * every family once. Where sources differ over a family's type, the first counts and the others' samples are left out.
 */
export function renderMetrics(sources: readonly Source[]): string {
  const families = new Map<string, { readonly first: MetricFamily; readonly lines: string[] }>();
  for (const { labels, families: own } of sources) {
    for (const family of own) {
      const known = families.get(family.name) ?? { first: family, lines: [] };
      families.set(family.name, known);
      if (known.first.type === family.type) {
        known.lines.push(...family.samples.map((sample) => line(sample, labels)));
      }
    }
  }
  return [...families.values()].map(({ first, lines }) => `${[...head(first), ...lines].join("\n")}\n`).join("");
}

function head({ name, help, type }: MetricFamily): readonly string[] {
  return [`# HELP ${name} ${help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}`, `# TYPE ${name} ${type}`];
}

function line({ name, labels, value }: MetricSample, more: readonly MetricLabel[]): string {
  const all = [...more, ...labels].map((label) => `${label.name}="${escapeLabel(label.value)}"`).join(",");
  return `${name}${all === "" ? "" : `{${all}}`} ${numberText(value)}`;
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}

/** As Go's ParseFloat reads it. */
function numberText(value: number): string {
  if (Number.isNaN(value)) {
    return "NaN";
  }
  return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
}
