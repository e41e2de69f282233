import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { endStranger } from "../process/end-stranger.ts";
import { commandLineOf, identify, type ProcessIdentity } from "../process/identity.ts";

/** A shutdown writes a checkpoint first, which takes its time on a slow disk. */
const KILL_AFTER_MS = 20_000;

/**
 * The server that runs on the files of a directory, whoever started it; undefined when none does.
 * It is found by the process id that `mongod` itself keeps in its lock file, verified by the command line of that process.
 */
export async function findLeftBehind(dbPath: string): Promise<ProcessIdentity | undefined> {
  const pid = Number(await readFile(join(dbPath, "mongod.lock"), "utf8").catch(() => ""));
  if (!Number.isSafeInteger(pid) || pid <= 0) {
    return undefined;
  }
  const identity = await identify(pid);
  return servesDirectory(await commandLineOf(pid), dbPath) ? identity : undefined;
}

/** Whether a command line is one of a server on the files of a directory. */
export function servesDirectory(words: readonly string[], dbPath: string): boolean {
  return words.some((word, index) => word === dbPath && words[index - 1] === "--dbpath");
}

/** Ends, cleanly if it can, the server that an earlier launcher left on the files of a directory. */
export async function endLeftBehind(dbPath: string, warn: (line: string) => void): Promise<void> {
  const left = await findLeftBehind(dbPath);
  if (left !== undefined) {
    warn(`sallyport: taking over the database of an earlier start: its process ${left.pid} is ended first`);
    await endStranger(left, "the database of an earlier start", KILL_AFTER_MS, warn);
  }
}
