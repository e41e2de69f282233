import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { keepRunning } from "../launcher/keep-running.ts";
import type { Part } from "../process/part.ts";

/** So that a process which cannot start yet does not keep the machine busy with trying. */
const RESTART_MS = 100;

/** A process that is started again at once whenever it ends. Disposing of it ends it for good. */
export interface KeptProcess extends AsyncDisposable {
  /** Its process now. Undefined while there is none. */
  readonly pid: () => number | undefined;
  /** Whether its last start was completed and it has not ended since. */
  readonly isUp: () => boolean;
}

/** Starts a process with `start`, which tells `spawned` the process id as soon as there is one, and keeps it running. */
export async function keepProcess(
  name: string,
  start: (spawned: (pid: number) => void, stop: AbortSignal) => Promise<Part>,
  stop: AbortSignal,
): Promise<KeptProcess> {
  let pid: number | undefined;
  let isUp = false;
  const startOnce = async (given: AbortSignal): Promise<Part> => {
    // Every start listens to the same signal.
    setMaxListeners(0, given);
    const lose = (): void => {
      pid = undefined;
      isUp = false;
    };
    try {
      const part = await start((id) => {
        pid = id;
      }, given);
      isUp = true;
      void part.ended.then(lose);
      return part;
    } catch (error) {
      // Its process is gone, and another one may have its number by now.
      lose();
      throw error;
    }
  };
  const wait = (_: number, given: AbortSignal): Promise<void> => sleep(RESTART_MS, undefined, { signal: given });
  const running = await keepRunning({ name, start: startOnce, supervise: true, warn: () => undefined, wait }, stop);
  return { pid: () => pid, isUp: () => isUp, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}
