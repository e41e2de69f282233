import { randomUUID } from "node:crypto";
import { link, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 25;
const LOCK = /^lock\.(\d{1,15})$/;

/**
 * Runs `work` while no other process of this machine, nor anybody else in this one, runs work under the lock of the same directory. A lock
 * whose process is gone is taken over; that of a paused process is not, however long the pause.
 *
 * The lock is the file `lock.<n>` with the highest n: whoever creates the next number has it, and empties the file to give it back. No file
 * is ever taken away from its owner, so two processes that find a lock left behind cannot both believe that they took it over.
 * @throws what the signal aborts with, when it does before the lock is had.
 */
export async function withLockFile<T>(directory: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const owner = await describeProcess(process.pid);
  let path = await tryLock(directory, owner);
  while (path === undefined) {
    await sleep(POLL_MS * (0.5 + Math.random()), undefined, signal && { signal });
    path = await tryLock(directory, owner);
  }
  try {
    signal?.throwIfAborted();
    return await work();
  } finally {
    // The app may have removed the directory with the session.
    await truncate(path).catch(() => undefined);
  }
}

async function tryLock(directory: string, owner: string): Promise<string | undefined> {
  const highest = await highestLock(directory);
  if (highest > 0 && (await isHeld(join(directory, `lock.${highest}`)))) {
    return undefined;
  }
  const path = join(directory, `lock.${highest + 1}`);
  if (!(await createWhole(path, owner))) {
    return undefined;
  }
  // The listing above may be old: then the lock went on to higher numbers meanwhile, and this one is worth nothing.
  if ((await highestLock(directory)) !== highest + 1) {
    await rm(path, { force: true });
    return undefined;
  }
  await removeBelow(directory, highest + 1);
  return path;
}

/** Creates a file that is there with all its text or not at all; false when it exists. */
async function createWhole(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text, { mode: 0o600 });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      return false;
    }
    throw error;
  } finally {
    await rm(temporary);
  }
}

async function isHeld(path: string): Promise<boolean> {
  const owner = await readFile(path, "utf8").catch(() => undefined);
  if (owner === undefined) {
    // Gone since the listing: somebody has a higher one.
    return true;
  }
  return owner !== "" && owner === (await describeProcess(Number.parseInt(owner, 10)));
}

/** A process id with what tells the process from a later one of that id: on Linux the boot and the time of start. Empty when there is none. */
async function describeProcess(pid: number): Promise<string> {
  if (process.platform !== "linux") {
    return isAlive(pid) ? `${pid}` : "";
  }
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // proc(5): the command's name, in parentheses, may hold spaces; the state is field 3, the start field 22.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (stat === "" || fields[0] === "Z" || fields[0] === "X") {
    return "";
  }
  return `${pid} ${fields[19]} ${(await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim()}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function highestLock(directory: string): Promise<number> {
  return Math.max(0, ...(await lockNumbers(directory)));
}

async function removeBelow(directory: string, number: number): Promise<void> {
  const old = (await lockNumbers(directory)).filter((candidate) => candidate < number);
  await Promise.all(old.map((candidate) => rm(join(directory, `lock.${candidate}`), { force: true })));
}

async function lockNumbers(directory: string): Promise<readonly number[]> {
  return (await readdir(directory)).flatMap((name) => LOCK.exec(name)?.slice(1).map(Number) ?? []);
}
