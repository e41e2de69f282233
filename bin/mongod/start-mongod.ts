import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { aborted } from "../process/aborted.ts";
import { endProcess } from "../process/end-process.ts";
import type { Part } from "../process/part.ts";
import { type Exit, spawnProcess } from "../process/spawn-process.ts";
import { explainExitCode, loneMongodArguments, memberArguments, mongodArguments, mongodUri } from "./arguments.ts";
import { openLogFile } from "./log-file.ts";
import { isListening } from "./port.ts";
import { ensurePrimary, renameMember } from "./replica-set.ts";

/** A shutdown writes a checkpoint first, which takes its time on a slow disk. */
const KILL_AFTER_MS = 60_000;

/** A start after a crash reads the journal first. */
const READY_WITHIN_MS = 120_000;

/** The files of a server: its data, and its log. */
export interface MongodFiles {
  readonly dbPath: string;
  readonly logFile: string;
}

/** A server to be started: its program, its files, its port. */
export interface MongodSetup {
  readonly binary: string;
  readonly files: MongodFiles;
  readonly port: number;
  readonly warn: (line: string) => void;
  /** Told the process id as soon as there is one. */
  readonly spawned?: (pid: number) => void;
}

/** Starts a server as the primary of its replica set. Rejects when it ends before it is that, or the start is given up. */
export function startMongod(setup: MongodSetup, stop: AbortSignal): Promise<Part> {
  return start(setup, mongodArguments(setup.files.dbPath, setup.port), ensurePrimary, stop);
}

/** Starts one server of a replica set of several; whether it is the primary, or in the set at all yet, is another matter. */
export function startMember(setup: MongodSetup, stop: AbortSignal): Promise<Part> {
  return start(setup, memberArguments(setup.files.dbPath, setup.port), async () => {}, stop);
}

/** Has the replica set in the files know its member by the port of this setup, before it is started there. */
export async function moveMember(setup: MongodSetup, stop: AbortSignal): Promise<void> {
  const lone = await start(setup, loneMongodArguments(setup.files.dbPath, setup.port), renameMember, stop);
  await lone[Symbol.asyncDispose]();
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

/** Makes a server that listens on a port, and has this process id, what it is to be. */
type Prepare = (port: number, pid: number, stop: AbortSignal) => Promise<void>;

async function start(
  { binary, files, port, warn, spawned }: MongodSetup,
  words: readonly string[],
  prepare: Prepare,
  stop: AbortSignal,
): Promise<Part> {
  await mkdir(files.dbPath, { recursive: true, mode: 0o700 });
  const log = await openLogFile(files.logFile);
  const server = spawnProcess(binary, words, ["ignore", log.fd, log.fd], process.env);
  await log.close();

  const end = (): Promise<void> => endProcess({ ...server, name: "the database" }, KILL_AFTER_MS, warn);
  try {
    const { pid = 0 } = server.child;
    spawned?.(pid);
    const ended = server.ended.then((exit) => Promise.reject(new MongodEndedError(exit, files.logFile)));
    await unlessOver(ended, stop, async (over) => {
      await listening(port, over);
      await prepare(port, pid, over);
    });
  } catch (error) {
    await end();
    throw error;
  }
  return { address: mongodUri(port), ended: server.ended, [Symbol.asyncDispose]: end };
}

/** Does something until it is done, the server ended, the start is given up, or too much time has passed. */
async function unlessOver(ended: Promise<never>, stop: AbortSignal, act: (over: AbortSignal) => Promise<void>): Promise<void> {
  const over = new AbortController();
  const given = aborted(stop).then(() => stop.throwIfAborted());
  const late = sleep(READY_WITHIN_MS, undefined, { signal: over.signal }).then(() =>
    Promise.reject(new Error(`the database was not ready within ${READY_WITHIN_MS} ms`)),
  );
  try {
    await Promise.race([act(over.signal), ended, given, late]);
  } finally {
    over.abort();
  }
}

async function listening(port: number, over: AbortSignal): Promise<void> {
  while (!(await isListening(port))) {
    await sleep(10, undefined, { signal: over });
  }
}
