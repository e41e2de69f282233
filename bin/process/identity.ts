import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Names one process for good: process ids are used again, but not with the same time of start. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: to be compared only. */
  readonly startedAt: string;
}

/** The state letter and the start (clock ticks since boot) in the text of `/proc/<pid>/stat` (proc(5)). */
export function parseProcStat(stat: string): { readonly state: string; readonly startTicks: string } | undefined {
  // The command's name, in parentheses, may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], fields[19]];
  return state && startTicks ? { state, startTicks } : undefined;
}

/** Reads an identity back from its JSON. Undefined when the text is none. */
export function parseIdentity(json: string): ProcessIdentity | undefined {
  try {
    const { pid, startedAt } = JSON.parse(json) as Partial<ProcessIdentity>;
    return Number.isSafeInteger(pid) && typeof startedAt === "string" ? { pid: pid as number, startedAt } : undefined;
  } catch {
    return undefined;
  }
}

/** The identity of a process that runs. Undefined when there is none, or it has ended and only waits to be reaped. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  if (process.platform === "linux") {
    const stat = parseProcStat(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""));
    if (stat === undefined || stat.state === "Z" || stat.state === "X") {
      return undefined;
    }
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
    return { pid, startedAt: `${boot.trim()}/${stat.startTicks}` };
  }
  const [state, ...start] = (await ps(pid, "stat=,lstart=")).split(/\s+/);
  return state && !state.startsWith("Z") ? { pid, startedAt: start.join(" ") } : undefined;
}

/** The identity of this process. */
export async function identifySelf(): Promise<ProcessIdentity> {
  const self = await identify(process.pid);
  if (self === undefined) {
    throw new Error("this system tells nothing about its processes: /proc, or the program ps, is needed");
  }
  return self;
}

/** Whether that very process still runs. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startedAt === identity.startedAt;
}

/** The words of a process's command line; none when it cannot be read. */
export async function commandLineOf(pid: number): Promise<readonly string[]> {
  if (process.platform === "linux") {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0").filter((word) => word !== "");
  }
  return (await ps(pid, "command=")).split(/\s+/);
}

/** Resolves when a process that is no child of ours is gone. The operating system tells nobody but its parent, so this asks. */
export async function gone(identity: ProcessIdentity): Promise<void> {
  while (await isRunning(identity)) {
    await sleep(20);
  }
}

async function ps(pid: number, columns: string): Promise<string> {
  const { stdout } = await run("ps", ["-o", columns, "-p", String(pid)], { env: { ...process.env, LC_ALL: "C" } }).catch(() => ({
    stdout: "",
  }));
  return stdout.trim();
}
