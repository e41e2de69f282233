/** The id of a process that is there to be signalled. @throws RangeError when it is none: 0 would be the process group of the test run itself */
export function pidToSignal(pid: number | undefined): number {
  if (pid === undefined || pid <= 0) {
    throw new RangeError("there is no process to signal");
  }
  return pid;
}
