import { type Measurement, serverCpuUs } from "./measurement.ts";
import type { ScenarioRun } from "./run-bench.ts";
import { missesOf } from "./scenario.ts";
import type { Latency } from "./task.ts";

/** What a scenario came to: medians over its rounds, the ratio with its spread. */
export interface Summary {
  readonly name: string;
  readonly perSecond: number;
  readonly floorPerSecond: number;
  readonly ratio: number;
  readonly leastRatio: number;
  readonly mostRatio: number;
  /** Of all server processes, for each operation. */
  readonly cpuUs: number;
  readonly floorCpuUs: number;
  readonly cpuUsByProcess: Readonly<Record<string, number>>;
  readonly latency: Measurement["latency"];
  /** The share of one CPU that the load generator had, and the most that it had at the floor: near 1 it is itself what was measured. */
  readonly loadShare: number;
  readonly floorLoadShare: number;
  /** The CPU against the floor's. */
  readonly cpuRatio: number;
  /** What each operation left in memory, where that is what was measured. */
  readonly bytesEach: number | undefined;
  readonly floorBytesEach: number | undefined;
  readonly misses: readonly string[];
  readonly wrong: readonly string[];
}

/** Sums a scenario up. */
export function summarize({ scenario, rounds, wrong }: ScenarioRun): Summary {
  const ratios = rounds.map(({ floor, subject }) => subject.perSecond / floor.perSecond);
  const subjects = rounds.map(({ subject }) => subject);
  const middle = subjects.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(subjects.length / 2)] as Measurement;
  const ratio = median(ratios);
  const cpuUs = median(subjects.map(serverCpuUs));
  const floorCpuUs = median(rounds.map(({ floor }) => serverCpuUs(floor)));
  return {
    name: scenario.name,
    perSecond: median(subjects.map(({ perSecond }) => perSecond)),
    floorPerSecond: median(rounds.map(({ floor }) => floor.perSecond)),
    ratio,
    leastRatio: Math.min(...ratios),
    mostRatio: Math.max(...ratios),
    cpuUs,
    floorCpuUs,
    cpuUsByProcess: middle.cpuUs,
    latency: medianLatency(subjects),
    loadShare: middle.loadShare,
    floorLoadShare: Math.max(...rounds.map(({ floor }) => floor.loadShare)),
    cpuRatio: cpuUs / floorCpuUs,
    bytesEach: middle.bytesEach,
    floorBytesEach: rounds[0]?.floor.bytesEach,
    misses: missesOf(scenario.target, {
      ratio,
      cpuUs,
      cpuRatio: cpuUs / floorCpuUs,
      bytesEach: middle.bytesEach,
      latency: medianLatency(subjects),
    }),
    wrong,
  };
}

/** The lines that tell of a scenario. */
export function linesOf({ scenario }: ScenarioRun, summary: Summary): readonly string[] {
  const { latency, cpuUsByProcess, misses, wrong } = summary;
  const times = latency && `p50 ${show(latency.p50)} ms, p99 ${show(latency.p99)} ms, p99.9 ${show(latency.p999)} ms`;
  const byProcess = Object.entries(cpuUsByProcess).map(([name, us]) => `${name} ${show(us)}`);
  const verdict = [`  ${misses.length === 0 ? "on target" : `misses: ${misses.join(", ")}`}`, ...wrong.map((what) => `  WRONG: ${what}`)];
  if (summary.bytesEach !== undefined) {
    return [
      `${summary.name}: ${scenario.about}`,
      `  ${show(summary.bytesEach)} bytes each against ${show(summary.floorBytesEach ?? 0)} (${scenario.floorAbout})`,
      ...verdict,
    ];
  }
  return [
    `${summary.name}: ${scenario.about}`,
    `  ${show(summary.perSecond)}/s against ${show(summary.floorPerSecond)}/s (${scenario.floorAbout})`,
    `  ratio ${show(summary.ratio)} (${show(summary.leastRatio)} to ${show(summary.mostRatio)})${times ? `; ${times}` : ""}`,
    `  CPU ${show(summary.cpuUs)} µs an operation (floor ${show(summary.floorCpuUs)}): ${byProcess.join(", ")}; load at ${show(summary.loadShare * 100)} % of a CPU (floor ${show(summary.floorLoadShare * 100)} %)`,
    ...verdict,
  ];
}

/** A ratio that fell below this share of what it was, with all of its spread below all of the earlier one, is a regression. */
const WORSE = 0.85;

/** How a scenario changed against an earlier outcome. */
export interface Change {
  readonly line: string;
  readonly isWorse: boolean;
}

/** How the scenarios changed that an earlier outcome has too. Only ratios count: times are the machine's. */
export function changesOf(earlier: readonly Summary[], now: readonly Summary[]): readonly Change[] {
  return now.flatMap((summary) => {
    const before = earlier.find(({ name }) => name === summary.name);
    return before === undefined ? [] : [changeOf(before, summary)];
  });
}

function changeOf(before: Summary, now: Summary): Change {
  const isSlower = now.ratio < before.ratio * WORSE && now.mostRatio < before.leastRatio;
  const isLarger = (now.bytesEach ?? 0) > (before.bytesEach ?? 0) / WORSE;
  // Where the rate is given, the CPU is what changes.
  const isDearer = now.cpuRatio * WORSE > before.cpuRatio && now.ratio > 0.9 && before.ratio > 0.9 && now.ratio < 1.1;
  const isWorse = isSlower || isLarger || isDearer;
  const what =
    now.bytesEach === undefined
      ? `ratio ${show(before.ratio)} → ${show(now.ratio)} (× ${show(now.ratio / before.ratio)}), CPU ${show(before.cpuUs)} → ${show(now.cpuUs)} µs`
      : `${show(before.bytesEach ?? Number.NaN)} → ${show(now.bytesEach)} bytes each`;
  return { line: `${now.name}: ${what}${isWorse ? " WORSE" : ""}`, isWorse };
}

function medianLatency(subjects: readonly Measurement[]): Latency | undefined {
  const latencies = subjects.flatMap(({ latency }) => latency ?? []);
  const of = (percentile: keyof Latency): number => median(latencies.map((latency) => latency[percentile]));
  return latencies.length === 0 ? undefined : { p50: of("p50"), p99: of("p99"), p999: of("p999") };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Three figures that count, whole numbers above that. */
function show(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}
