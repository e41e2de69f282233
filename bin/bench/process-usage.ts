import { readFile } from "node:fs/promises";

/** What the operating system says of a process. */
export interface Usage {
  /** Time on a CPU since it began, in microseconds, by the user's part and the system's. */
  readonly cpuUs: number;
  /** Memory that is its own or shared (resident), in bytes. */
  readonly residentBytes: number;
}

/** Linux counts CPU time in this unit wherever it tells of it. */
const TICK_US = 10_000;
const PAGE_BYTES = 4096;
/** Where the fields are in /proc/<pid>/stat (proc(5)), counted from behind the name. */
const [USER, SYSTEM] = [11, 12];

/** What a process has used so far. @throws Error when there is no such process, or no /proc. */
export async function usageOf(pid: number): Promise<Usage> {
  const [stat, statm] = await Promise.all([readFile(`/proc/${pid}/stat`, "utf8"), readFile(`/proc/${pid}/statm`, "utf8")]);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    cpuUs: (Number(fields[USER]) + Number(fields[SYSTEM])) * TICK_US,
    residentBytes: Number(statm.split(" ")[1]) * PAGE_BYTES,
  };
}
