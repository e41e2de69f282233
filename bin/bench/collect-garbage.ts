import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

/** The flag with which a process of Node opens its inspector, once it is asked to, on a port that is free. */
export const INSPECTABLE = "--inspect-port=0";

const ADDRESS = /Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/\S+)/g;
const OPEN_WITHIN_MS = 5_000;
const LOOK_MS = 20;

/** The inspectors that are open: one that is asked again says nothing. */
const inspectors = new Map<number, string>();

/** Has a process of Node, which logs to a file, collect all garbage. Processes that log to one file are asked one after the other. */
export async function collectGarbage(pid: number, logFile: string): Promise<void> {
  const address = inspectors.get(pid) ?? (await openInspector(pid, logFile));
  inspectors.set(pid, address);
  const inspector = new WebSocket(address);
  await once(inspector, "open");
  // Twice: what a first collection finds unused may free more.
  for (const id of [1, 2]) {
    inspector.send(JSON.stringify({ id, method: "HeapProfiler.collectGarbage" }));
    await once(inspector, "message");
  }
  inspector.close();
  await once(inspector, "close");
}

async function openInspector(pid: number, logFile: string): Promise<string> {
  const before = (await inspectorsIn(logFile)).length;
  process.kill(pid, "SIGUSR1");
  for (const until = Date.now() + OPEN_WITHIN_MS; Date.now() < until; await sleep(LOOK_MS)) {
    const address = (await inspectorsIn(logFile))[before];
    if (address !== undefined) {
      return address;
    }
  }
  throw new Error(`process ${pid} opens no inspector`);
}

async function inspectorsIn(logFile: string): Promise<readonly string[]> {
  return [...(await readFile(logFile, "utf8")).matchAll(ADDRESS)].map(([, address = ""]) => address);
}
