import type { StackName } from "./fleet.ts";
import { idleBare, idleSockets } from "./idle.ts";
import type { Measurement } from "./measurement.ts";
import { type Bench, onDatabase, onEcho, onStack, type Scenario, type Target } from "./scenario.ts";
import type { ChatTask, DatabaseOperation } from "./task.ts";

const SOCKETS = 100;
const PAIRS = 100;
const IN_FLIGHT = 100;
const PENDING = 5_000;

/** The paths that are measured, each beside its floor. */
export const SCENARIOS: readonly Scenario[] = [
  calls("calls-16", 16, { leastRatio: 1 / 9, mostCpuUs: 10 }),
  calls("calls-1", 1, { leastRatio: 0.4, mostCpuUs: 13 }),
  chat("chat-1", { depth: 1, isOnline: true }, "insert-delete", { leastRatio: 7, mostCpuUs: 65 }),
  chat("chat-8", { depth: 8, isOnline: true }, "insert-delete", { leastRatio: 7, mostCpuUs: 65 }),
  chat("offline", { depth: 8, isOnline: false }, "insert", { leastRatio: 5 }),
  {
    name: "drain",
    about: `${PENDING} pending messages taken and acknowledged by a socket that comes back`,
    floorAbout: "one find of as many documents by an index",
    target: { leastRatio: 0.5 },
    stack: "single",
    floor: (bench) => onDatabase(bench, (uri) => ({ kind: "find", uri, documents: PENDING })),
    subject: (bench) => onStack(bench, "single", (ports) => ({ kind: "drain", ports, pending: PENDING })),
  },
  {
    name: "exchange",
    about: `sockets opened, their tokens rotated durably, attached, closed, ${IN_FLIGHT} at a time`,
    floorAbout: `findOneAndUpdate, majority, ${IN_FLIGHT} in flight`,
    target: { leastRatio: 2 },
    stack: "single",
    floor: (bench) => onOperation(bench, "find-and-update"),
    subject: (bench) => onStack(bench, "single", (ports) => ({ kind: "exchange", ports, atOnce: IN_FLIGHT, times: bench.times })),
  },
  {
    name: "latency",
    about: `messages at half of the most that goes, at fixed times (open loop), ${PAIRS} pairs`,
    floorAbout: "the most that goes (closed loop, 8 in flight each)",
    target: { leastRatio: 0.49, mostP99Ms: 15, mostP999Ms: 50 },
    stack: "single",
    floor: (bench) => messages(bench, "single", { depth: 8, isOnline: true }),
    subject: (bench, { perSecond }) => messages(bench, "single", { depth: 8, isOnline: true, offeredRate: perSecond / 2 }),
  },
  {
    name: "idle",
    about: "5,000 sockets, exchanged and attached, after a forced collection",
    floorAbout: "sockets of a bare uWebSockets.js server",
    target: { mostBytes: 4_096 },
    mostRounds: 1,
    stack: "single",
    floor: idleBare,
    subject: idleSockets,
  },
  {
    name: "copies",
    about: "messages through two gateways and two chat copies, offered at a fixed rate",
    floorAbout: "the same through one of each",
    target: { leastRatio: 0.98, mostCpuRatio: 1.15 },
    stack: "double",
    floor: (bench) => messages(bench, "single", { depth: 8, isOnline: true, offeredRate: 3_000 }),
    subject: (bench) => messages(bench, "double", { depth: 8, isOnline: true, offeredRate: 3_000 }),
  },
  {
    name: "growth",
    about: "messages beside a million accounts and a million messages that wait, offered at a fixed rate",
    floorAbout: "the same on a stack that has not grown",
    target: { leastRatio: 0.98, mostCpuRatio: 1.25 },
    stack: "grown",
    floor: (bench) => messages(bench, "single", { depth: 8, isOnline: true, offeredRate: 3_000 }),
    subject: (bench) => messages(bench, "grown", { depth: 8, isOnline: true, offeredRate: 3_000 }),
  },
  {
    name: "sockets",
    about: "messages of 100 pairs beside 10,000 idle sockets, offered at a fixed rate",
    floorAbout: "the same beside none",
    target: { leastRatio: 0.98, mostCpuRatio: 1.25 },
    mostRounds: 1,
    stack: "single",
    floor: (bench) => messages(bench, "single", { depth: 8, isOnline: true, offeredRate: 3_000 }),
    subject: async (bench) => {
      await onStack(bench, "single", (ports) => ({ kind: "hold", ports, path: "/connect/chat", sockets: 10_000, isExchanged: true }));
      const measured = await messages(bench, "single", { depth: 8, isOnline: true, offeredRate: 3_000 });
      await onStack(bench, "single", () => ({ kind: "release" }));
      return measured;
    },
  },
];

function calls(name: string, depth: number, target: Target): Scenario {
  return {
    name,
    about: `calls to a service and back, ${SOCKETS} sockets × ${depth}`,
    floorAbout: `echo of a bare uWebSockets.js server, ${SOCKETS} × ${depth}`,
    target,
    stack: "single",
    floor: (bench) => onEcho(bench, { kind: "echo", port: bench.echo.port, sockets: SOCKETS, depth, times: bench.times }),
    subject: (bench) => onStack(bench, "single", (ports) => ({ kind: "calls", ports, sockets: SOCKETS, depth, times: bench.times })),
  };
}

type Manner = Pick<ChatTask, "depth" | "isOnline" | "offeredRate">;

function chat(name: string, manner: Manner, operation: DatabaseOperation, target: Target): Scenario {
  const what = manner.isOnline ? "sent, receipted, delivered, acknowledged, forgotten" : "stored for somebody who is not there";
  return {
    name,
    about: `messages of 128 bytes ${what}, ${PAIRS} pairs × ${manner.depth}`,
    floorAbout: `${operation === "insert" ? "insertOne" : "insertOne + deleteOne"}, majority, ${IN_FLIGHT} in flight`,
    target,
    stack: "single",
    floor: (bench) => onOperation(bench, operation),
    subject: (bench) => messages(bench, "single", manner),
  };
}

function messages(bench: Bench, stack: StackName, manner: Manner): Promise<Measurement> {
  return onStack(bench, stack, (ports) => ({ kind: "chat", ports, pairs: PAIRS, times: bench.times, ...manner }));
}

function onOperation(bench: Bench, operation: DatabaseOperation): Promise<Measurement> {
  return onDatabase(bench, (uri) => ({ kind: "database", uri, operation, atOnce: IN_FLIGHT, times: bench.times }));
}
