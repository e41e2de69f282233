import { endProcess } from "./end-process.ts";
import { gone, type ProcessIdentity } from "./identity.ts";

/** Ends a process that is no child of ours, as `endProcess` does. */
export async function endStranger(
  identity: ProcessIdentity,
  name: string,
  killAfterMs: number,
  warn: (line: string) => void,
): Promise<void> {
  const signal = (signalName: NodeJS.Signals): void => {
    try {
      process.kill(identity.pid, signalName);
    } catch {
      // It ended a moment ago, which is what was wanted.
    }
  };
  await endProcess({ name, ended: gone(identity), signal }, killAfterMs, warn);
}
