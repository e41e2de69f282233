import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { endStranger } from "../process/end-stranger.ts";
import { identify, isRunning, parseIdentity } from "../process/identity.ts";
import type { Role } from "./role.ts";

/** Longer than a role whose launcher is gone takes to end by itself. */
const KILL_AFTER_MS = 3_000;

/** Records which process plays a role, so that a later launcher finds it should this one be killed. */
export async function recordRole(directory: string, role: Role, pid: number): Promise<void> {
  const file = recordFile(directory, role);
  await writeFile(`${file}.new`, JSON.stringify((await identify(pid)) ?? {}), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Waits for the process of a role that an earlier launcher left behind to end, as it does by itself; one that does not, being paused or hung, is ended. */
export async function endRecordedRole(directory: string, role: Role, warn: (line: string) => void): Promise<void> {
  const file = recordFile(directory, role);
  const left = parseIdentity(await readFile(file, "utf8").catch(() => ""));
  if (left !== undefined && (await isRunning(left))) {
    await endStranger(left, `the ${role} of an earlier start`, KILL_AFTER_MS, warn);
  }
  await rm(file, { force: true });
}

function recordFile(directory: string, role: Role): string {
  return join(directory, `${role}.json`);
}
