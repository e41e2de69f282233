import type { Part } from "../process/part.ts";
import { endLeftBehind } from "./left-behind.ts";
import { choosePort, recordPort } from "./port.ts";
import { PortTakenError } from "./replica-set.ts";
import { MongodEndedError, type MongodFiles, startMongod } from "./start-mongod.ts";

const ATTEMPTS = 3;
const PORT_TAKEN = 48;
const FILES_IN_USE = 100;

/** Brings up the server of a data directory, after ending the one that an earlier start left on it; on another port when the recorded one is taken. */
export async function runMongod(
  binary: string,
  files: MongodFiles,
  portFile: string,
  stop: AbortSignal,
  warn: (line: string) => void,
): Promise<{ readonly part: Part; readonly port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    await endLeftBehind(files.dbPath, warn);
    const port = await choosePort(portFile);
    try {
      const part = await startMongod(binary, files, port, stop, warn);
      await recordPort(portFile, port);
      return { part, port };
    } catch (error) {
      if (attempt === ATTEMPTS || !isPassing(error)) {
        throw error;
      }
    }
  }
}

/** Whether the next attempt may find another port, or a server left behind that had not written its process id yet. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof PortTakenError || (error instanceof MongodEndedError && (error.code === PORT_TAKEN || error.code === FILES_IN_USE))
  );
}
