import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnProcess } from "../process/spawn-process.ts";

/**
 * Waits until its standard input ends, which it does however this process ends, and then has nothing of the layout outlive it: what was paused goes on and ends by itself, servers on files of the
 * directory are killed, disks that are mounted in it are taken away, the directory is removed.
 */
const GUARD = `
while read -r pid; do paused="$paused $pid"; done
for pid in $paused; do kill -CONT "$pid"; done
for lock in "$0"/*/mongod.lock; do
  pid=$(cat "$lock")
  case "$(tr '\\0' ' ' < "/proc/$pid/cmdline" || ps -o args= -p "$pid")" in
    *"--dbpath \${lock%/mongod.lock} "*) kill -KILL "$pid" ;;
  esac
done
for disk in "$0"/*/; do umount -l "\${disk%/}"; done
rm -rf "$0"
`;

/** The directory of a layout's data, which is gone when this process is, with the servers that run on it, however that ends. */
export interface ScratchDirectory extends AsyncDisposable {
  readonly path: string;
  /** Has a process that is paused go on when this one ends. */
  readonly wakeInTheEnd: (pid: number) => void;
}

/** Makes a directory for a layout. */
export async function openScratchDirectory(): Promise<ScratchDirectory> {
  const path = await mkdtemp(join(tmpdir(), "sallyport-chaos-"));
  const guard = spawnProcess("sh", ["-c", GUARD, path], ["pipe", "ignore", "ignore"], process.env);
  // A guard that could not be started, or was killed, is done without.
  guard.child.stdin?.on("error", () => undefined);
  return {
    path,
    wakeInTheEnd: (pid) => void guard.child.stdin?.write(`${pid}\n`),
    [Symbol.asyncDispose]: async () => {
      guard.child.stdin?.end();
      await guard.ended;
      await rm(path, { recursive: true, force: true });
    },
  };
}
