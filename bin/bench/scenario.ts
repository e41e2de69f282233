import type { Fleet, StackName } from "./fleet.ts";
import type { WindowTimes } from "./load/window.ts";
import type { Measurement } from "./measurement.ts";
import { measure } from "./measurement.ts";
import type { Task } from "./task.ts";
import type { EchoServer } from "./worker.ts";

/** What a scenario is run with. */
export interface Bench {
  readonly fleet: Fleet;
  readonly echo: EchoServer;
  readonly times: WindowTimes;
}

/** Two measurements of the same run, one after the other: what a path does, and the least that it could cost. */
export interface Round {
  readonly floor: Measurement;
  readonly subject: Measurement;
}

/** What a figure is to be, and in what. */
export interface Target {
  /** Against the floor's operations a second: at least. */
  readonly leastRatio?: number;
  /** CPU of all server processes, for each operation: at most, in microseconds, or against the floor's. */
  readonly mostCpuUs?: number;
  readonly mostCpuRatio?: number;
  /** What each operation leaves in the memory of the processes. */
  readonly mostBytes?: number;
  /** Of the subject, in milliseconds: at most. */
  readonly mostP99Ms?: number;
  readonly mostP999Ms?: number;
}

/** A path of the system beside its floor. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly floorAbout: string;
  readonly target: Target;
  /** How many rounds are enough, where more would say no more. */
  readonly mostRounds?: number;
  /** The stack whose database is looked into afterwards. */
  readonly stack: StackName;
  readonly floor: (bench: Bench) => Promise<Measurement>;
  readonly subject: (bench: Bench, floor: Measurement) => Promise<Measurement>;
}

/** Measures a task of the load against a stack. */
export async function onStack({ fleet }: Bench, name: StackName, task: (ports: readonly number[]) => Task): Promise<Measurement> {
  const { worker, stack } = await fleet.at(name);
  return measure(worker, task(stack.ports), stack.processes);
}

/** Measures a task of the load against the bare server. */
export async function onEcho({ fleet, echo }: Bench, task: Task): Promise<Measurement> {
  const { worker } = await fleet.at("single");
  return measure(worker, task, [{ name: "uWebSockets.js", pid: echo.pid }]);
}

/** Measures a task of the load against the database alone. */
export async function onDatabase({ fleet }: Bench, task: (uri: string) => Task): Promise<Measurement> {
  const { worker, stack } = await fleet.at("single");
  const mongod = stack.processes.filter(({ kind }) => kind === "mongod");
  return measure(worker, task(stack.mongodbUri), mongod);
}

/** What a scenario came to, as its target sees it. */
export interface Outcome {
  readonly ratio: number;
  readonly cpuUs: number;
  readonly cpuRatio: number;
  readonly bytesEach: number | undefined;
  readonly latency: Measurement["latency"];
}

/** What of a target is missed. */
export function missesOf(target: Target, { ratio, cpuUs, cpuRatio, bytesEach = 0, latency }: Outcome): readonly string[] {
  const bounds: readonly (readonly [is: number, most: number | undefined, what: string])[] = [
    [cpuUs, target.mostCpuUs, "µs of CPU"],
    [cpuRatio, target.mostCpuRatio, "× the CPU"],
    [bytesEach, target.mostBytes, "bytes each"],
    [latency?.p99 ?? 0, target.mostP99Ms, "ms at p99"],
    [latency?.p999 ?? 0, target.mostP999Ms, "ms at p99.9"],
  ];
  const over = bounds.flatMap(([is, most, what]) => (most !== undefined && is > most ? [`over ${most} ${what}`] : []));
  return ratio < (target.leastRatio ?? 0) ? [`ratio below ${Number(target.leastRatio?.toPrecision(3))}`, ...over] : over;
}
