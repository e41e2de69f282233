import { collectDefaultMetrics, Counter as PromCounter, Histogram as PromHistogram, Registry } from "prom-client";
import type { MetricFamily, MetricSample } from "../proto/gen/sallyport/relay/v1/relay.ts";

/** The labels of a metric in order, each with all the values that it may have: no ids, no addresses. */
export type LabelSets = Readonly<Record<string, readonly string[]>>;

/** What a label says in place of a value that is not of its set. */
export const UNKNOWN = "unknown";

/** Something that is counted, by the values of its labels. */
export interface Counter {
  add(count: number, ...values: string[]): void;
}

/** Something that is measured again and again, by the values of its labels. */
export interface Histogram {
  observe(value: number, ...values: string[]): void;
}

/** What a gauge shows: its values of the moment, each with those of its labels. */
export type ReadGauge = () => Iterable<readonly [value: number, ...labels: string[]]>;

interface Values {
  get(): Promise<{ readonly values: readonly PromValue[] }>;
}

interface PromValue {
  readonly value: number;
  readonly labels: object;
  readonly metricName?: string | undefined;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  read(): Promise<MetricSample[]>;
}

/** What one process counts, in the data model of Prometheus. */
export class Metrics {
  readonly #families = new Map<string, Family>();
  readonly #ofProcess = new Registry();

  /** Adds what Node and the system say of this process: CPU, memory, handles, garbage collection, lag of the event loop. Once in a process. */
  observeProcess(): void {
    collectDefaultMetrics({ register: this.#ofProcess });
  }

  /** A counter, at 0 for every value when it has one label. @throws Error when the name is taken. */
  counter(name: string, help: string, labels: LabelSets = {}): Counter {
    const children = new Children(labels, () => new PromCounter({ name, help, registers: [] }));
    this.#add({ name, help, type: "counter", read: () => children.read(name) });
    if (Object.keys(labels).length === 1) {
      Object.values(labels)
        .flat()
        .forEach((value) => void children.of([value]));
    }
    return { add: (count, ...values) => children.of(values).inc(count) };
  }

  /** A histogram with the upper bounds of its buckets. @throws Error when the name is taken. */
  histogram(name: string, help: string, buckets: readonly number[], labels: LabelSets = {}): Histogram {
    const children = new Children(labels, () => new PromHistogram({ name, help, buckets: [...buckets], registers: [] }));
    this.#add({ name, help, type: "histogram", read: () => children.read(name) });
    return { observe: (value, ...values) => children.of(values).observe(value) };
  }

  /** A gauge, which is asked for its values whenever somebody reads. @throws Error when the name is taken. */
  gauge(name: string, help: string, labels: readonly string[], read: ReadGauge): void {
    const samples = async (): Promise<MetricSample[]> =>
      [...read()].map(([value, ...values]) => ({
        name,
        value,
        labels: labels.map((label, index) => ({ name: label, value: values[index] ?? UNKNOWN })),
      }));
    this.#add({ name, help, type: "gauge", read: samples });
  }

  /** Everything that was counted so far. */
  async read(): Promise<MetricFamily[]> {
    const own = [...this.#families.values()].map(async ({ name, help, type, read }) => ({ name, help, type, samples: await read() }));
    const ofProcess = (await this.#ofProcess.getMetricsAsJSON()).map(({ name, help, type, values }) => ({
      name,
      help,
      // prom-client declares numbers, and has texts.
      type: String(type),
      samples: values.map((value) => toSample(name, value, [])),
    }));
    return [...(await Promise.all(own)), ...ofProcess];
  }

  #add(family: Family): void {
    if (this.#families.has(family.name)) {
      throw new Error(`${family.name} is a metric already`);
    }
    this.#families.set(family.name, family);
  }
}

/**
 * One metric of prom-client's for each combination of label values that has come up, itself without labels:
 * prom-client puts a text together for labels at every count, which takes ten times as long as the counting.
 */
class Children<T extends Values> {
  readonly #labels: readonly (readonly [name: string, values: ReadonlySet<string>])[];
  readonly #make: () => T;
  readonly #root: Level<T> = { below: new Map() };

  constructor(labels: LabelSets, make: () => T) {
    this.#labels = Object.entries(labels).map(([name, values]) => [name, new Set(values)]);
    this.#make = make;
    if (this.#labels.length === 0) {
      this.of([]);
    }
  }

  of(values: readonly string[]): T {
    let level = this.#root;
    for (let index = 0; index < this.#labels.length; index += 1) {
      level = level.below.get(values[index] ?? UNKNOWN) ?? this.#grow(level, index, values[index] ?? UNKNOWN);
    }
    level.child ??= this.#make();
    return level.child;
  }

  async read(name: string): Promise<MetricSample[]> {
    const samples: MetricSample[] = [];
    const visit = async (level: Level<T>, path: readonly string[]): Promise<void> => {
      const labels = path.map((value, index) => ({ name: this.#labels[index]?.[0] ?? "", value }));
      const { values } = (await level.child?.get()) ?? { values: [] };
      samples.push(...values.map((value) => toSample(name, value, labels)));
      for (const [value, below] of level.below) {
        await visit(below, [...path, value]);
      }
    };
    await visit(this.#root, []);
    return samples;
  }

  #grow(level: Level<T>, index: number, value: string): Level<T> {
    const key = this.#labels[index]?.[1].has(value) ? value : UNKNOWN;
    const below = level.below.get(key) ?? { below: new Map() };
    level.below.set(key, below);
    return below;
  }
}

interface Level<T> {
  child?: T;
  readonly below: Map<string, Level<T>>;
}

function toSample(family: string, { value, labels, metricName }: PromValue, more: MetricSample["labels"]): MetricSample {
  const own = Object.entries(labels).map(([name, text]) => ({ name, value: String(text) }));
  return { name: metricName ?? family, value, labels: [...more, ...own] };
}
