import { type Usage, usageOf } from "./process-usage.ts";
import type { Latency, Task, TaskResult } from "./task.ts";
import type { LoadWorker } from "./worker.ts";

/** A process whose CPU time is counted. */
export interface Counted {
  readonly name: string;
  readonly pid: number;
}

/** What one task came to. */
export interface Measurement {
  readonly operations: number;
  readonly perSecond: number;
  /** In milliseconds. */
  readonly latency: Latency | undefined;
  /** Microseconds on a CPU for each operation, by process, the load generator among them. */
  readonly cpuUs: Readonly<Record<string, number>>;
  /** The share of one CPU that the load generator had. */
  readonly loadShare: number;
  readonly accepted: number;
  /** What each operation left in the memory of the server processes. */
  readonly bytesEach?: number;
  readonly wrong: readonly string[];
}

/** The name of the load generator among the processes. */
export const LOAD = "load";

/** Runs a task and reads what each process used while it was measured. */
export async function measure(worker: LoadWorker, task: Task, processes: readonly Counted[]): Promise<Measurement> {
  const counted = [...processes, { name: LOAD, pid: worker.pid }];
  const read = (): Promise<readonly Usage[]> => Promise.all(counted.map(({ pid }) => usageOf(pid)));
  let before: Promise<readonly Usage[]> | undefined;
  let after: Promise<readonly Usage[]> | undefined;
  const result: TaskResult = await worker.run(task, {
    began: () => {
      before = read();
      before.catch(() => undefined);
    },
    ended: () => {
      after = read();
      after.catch(() => undefined);
    },
  });
  const [first = [], last = []] = await Promise.all([before, after]);
  const used = counted.map(({ name }, index) => [name, (last[index]?.cpuUs ?? 0) - (first[index]?.cpuUs ?? 0)] as const);
  const { operations, seconds, latency, accepted = 0, wrong } = result;
  return {
    operations,
    perSecond: operations / seconds,
    latency,
    cpuUs: Object.fromEntries(used.map(([name, us]) => [name, us / operations])),
    loadShare: (used.find(([name]) => name === LOAD)?.[1] ?? 0) / (seconds * 1_000_000),
    accepted,
    wrong,
  };
}

/** What the servers used together for each operation, in microseconds; the load generator is none. */
export function serverCpuUs({ cpuUs }: Measurement): number {
  return Object.entries(cpuUs).reduce((sum, [name, us]) => (name === LOAD ? sum : sum + us), 0);
}
