import { randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isRunning, type ProcessIdentity, parseIdentity } from "../process/identity.ts";

/** Another launcher holds the lock and lives. */
export class LockHeldError extends Error {
  override readonly name = "LockHeldError";

  constructor(directory: string, pid: number) {
    super(`${directory} is in use by another start, process ${pid}`);
  }
}

/**
 * Takes the lock of a directory for as long as a process (this one) lives; there is nothing to release.
 *
 * The lock is a sequence of files `lock/1`, `lock/2`, …, each naming a process, of which the one with the highest number is the holder. A dead holder is succeeded by
 * creating the next number, which only one can do; then the lower ones are removed. As the highest number never falls, somebody who judged an earlier holder
 * long ago can only create a number that is not the highest, notice that, and begin again.
 * @throws LockHeldError when the holder lives.
 */
export async function takeLock(
  directory: string,
  self: ProcessIdentity,
  isAlive: (holder: ProcessIdentity) => Promise<boolean> = isRunning,
): Promise<void> {
  const files = join(directory, "lock");
  await mkdir(files, { recursive: true, mode: 0o700 });
  for (;;) {
    const highest = (await numbers(files)).at(-1) ?? 0;
    const holder = parseIdentity(await readFile(join(files, String(highest)), "utf8").catch(() => ""));
    if (holder !== undefined && (await isAlive(holder))) {
      throw new LockHeldError(directory, holder.pid);
    }

    const mine = highest + 1;
    if (await claim(files, mine, self)) {
      const present = await numbers(files);
      const superseded = present.at(-1) === mine ? present.slice(0, -1) : [mine];
      await Promise.all(superseded.map((number) => rm(join(files, String(number)), { force: true })));
      if (!superseded.includes(mine)) {
        return;
      }
    }
  }
}

/** The numbers of the lock files in a listing, in rising order. */
export function lockNumbers(names: readonly string[]): readonly number[] {
  return names
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

async function numbers(directory: string): Promise<readonly number[]> {
  return lockNumbers(await readdir(directory));
}

/** Creates a lock file with its content in one step. False when it exists. */
async function claim(directory: string, number: number, self: ProcessIdentity): Promise<boolean> {
  const draft = join(directory, `draft-${randomUUID()}`);
  await writeFile(draft, JSON.stringify(self), { mode: 0o600 });
  try {
    await link(draft, join(directory, String(number)));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      return false;
    }
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
