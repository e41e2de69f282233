import { setTimeout as sleep } from "node:timers/promises";
import { collectGarbage } from "./collect-garbage.ts";
import type { Place } from "./fleet.ts";
import type { Measurement } from "./measurement.ts";
import { usageOf } from "./process-usage.ts";
import type { Bench } from "./scenario.ts";
import type { Task } from "./task.ts";
import type { LoadWorker } from "./worker.ts";

const SOCKETS = 5_000;
/** So long what was begun for a socket goes on after it is attached. */
const SETTLE_MS = 3_000;

/** What a socket takes in the gateway and the services together. The database keeps documents for each, which it may write out. */
export async function idleSockets({ fleet }: Bench): Promise<Measurement> {
  const { worker, stack } = await fleet.at("single");
  const task: Task = { kind: "hold", ports: stack.ports, path: "/connect/chat", sockets: SOCKETS, isExchanged: true };
  // Once before: what is loaded and compiled for the first sockets is there for all.
  await worker.run({ ...task, sockets: SOCKETS / 10 });
  await worker.run({ kind: "release" });
  return held(worker, task, () => residentBytes({ worker, stack }));
}

/** What a socket takes in a server that does nothing with it. */
export async function idleBare({ fleet, echo }: Bench): Promise<Measurement> {
  const { worker } = await fleet.at("single");
  const task: Task = { kind: "hold", ports: [echo.port], path: "/", sockets: SOCKETS, isExchanged: false };
  return held(worker, task, async () => (await usageOf(echo.pid)).residentBytes);
}

async function held(worker: LoadWorker, task: Task, resident: () => Promise<number>): Promise<Measurement> {
  await sleep(SETTLE_MS);
  const before = await resident();
  const { operations } = await worker.run(task);
  await sleep(SETTLE_MS);
  const after = await resident();
  await worker.run({ kind: "release" });
  const bytesEach = (after - before) / operations;
  return { operations, perSecond: Number.NaN, latency: undefined, cpuUs: {}, loadShare: 0, accepted: 0, bytesEach, wrong: [] };
}

async function residentBytes({ stack }: Place): Promise<number> {
  let sum = 0;
  for (const { kind, pid } of stack.processes) {
    if (kind !== "mongod") {
      await collectGarbage(pid, stack.logFile);
      sum += (await usageOf(pid)).residentBytes;
    }
  }
  return sum;
}
