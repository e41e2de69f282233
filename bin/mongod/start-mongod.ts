import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { aborted } from "../process/aborted.ts";
import { endProcess } from "../process/end-process.ts";
import type { Part } from "../process/part.ts";
import { type Exit, type SpawnedProcess, spawnProcess } from "../process/spawn-process.ts";
import { explainExitCode, mongodArguments, mongodUri } from "./arguments.ts";
import { openLogFile } from "./log-file.ts";
import { isListening } from "./port.ts";
import { ensurePrimary } from "./replica-set.ts";

/** A shutdown writes a checkpoint first, which takes its time on a slow disk. */
const KILL_AFTER_MS = 60_000;

/** The files of a server: its data, and its log. */
export interface MongodFiles {
  readonly dbPath: string;
  readonly logFile: string;
}

/** Starts a server on a port of the loopback interface, and resolves when it is the primary of its replica set. Rejects when it ends before, or the start is given up. */
export async function startMongod(
  binary: string,
  files: MongodFiles,
  port: number,
  stop: AbortSignal,
  warn: (line: string) => void,
): Promise<Part> {
  await mkdir(files.dbPath, { recursive: true, mode: 0o700 });
  const log = await openLogFile(files.logFile);
  const server = spawnProcess(binary, mongodArguments(files.dbPath, port), ["ignore", log.fd, log.fd], process.env);
  await log.close();

  const end = (): Promise<void> => endProcess({ ...server, name: "the database" }, KILL_AFTER_MS, warn);
  try {
    await ready(server, port, stop, files.logFile);
  } catch (error) {
    await end();
    throw error;
  }
  return { address: mongodUri(port), ended: server.ended, [Symbol.asyncDispose]: end };
}

/** The server ended before it was ready. */
export class MongodEndedError extends Error {
  override readonly name = "MongodEndedError";
  readonly code: number | undefined;

  constructor(exit: Exit, logFile: string) {
    super(`the database did not start (${exit.how}${explainExitCode(exit.code)}); its log is ${logFile}`);
    this.code = exit.code;
  }
}

async function ready(server: SpawnedProcess, port: number, stop: AbortSignal, logFile: string): Promise<void> {
  const over = new AbortController();
  const primary = async (): Promise<void> => {
    while (!(await isListening(port))) {
      await sleep(10, undefined, { signal: over.signal });
    }
    await ensurePrimary(port, server.child.pid ?? 0, over.signal);
  };
  const ended = server.ended.then((exit) => Promise.reject(new MongodEndedError(exit, logFile)));
  const given = aborted(stop).then(() => stop.throwIfAborted());
  try {
    await Promise.race([primary(), ended, given]);
  } finally {
    over.abort();
  }
}
