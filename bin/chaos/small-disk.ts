import { execFile } from "node:child_process";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const MIB = 1024 * 1024;
/** What a server's journal, oplog and data take, and some room. */
const SIZE_MIB = 1024;
const CHUNK = Buffer.alloc(MIB);
const BALLAST = "ballast";

/** A disk of somebody's own, in memory, that can be full. Disposing of it takes it away. */
export interface SmallDisk extends AsyncDisposable {
  /** Leaves no room on it. */
  fill(): Promise<void>;
  /** Makes room again. */
  free(): Promise<void>;
}

/** Mounts a disk at a path. Undefined where that cannot be had: it takes Linux, and the rights of root. */
export async function mountSmallDisk(path: string): Promise<SmallDisk | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    return undefined;
  }
  await mkdir(path, { recursive: true, mode: 0o700 });
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${SIZE_MIB}m,mode=700`, "tmpfs", path]);
  } catch {
    return undefined;
  }
  const ballast = join(path, BALLAST);
  return {
    fill: () => writeUntilFull(ballast),
    free: () => rm(ballast, { force: true }),
    [Symbol.asyncDispose]: async () => {
      // Lazily: whoever was killed a moment ago may not have let go of it.
      await run("umount", ["-l", path]);
    },
  };
}

async function writeUntilFull(file: string): Promise<void> {
  const handle = await open(file, "w", 0o600);
  try {
    for (;;) {
      await handle.write(CHUNK);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") {
      throw error;
    }
  } finally {
    await handle.close();
  }
}
