import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Part } from "../process/part.ts";
import { endLeftBehind } from "./left-behind.ts";
import { choosePort, recordPort } from "./port.ts";
import { MemberElsewhereError, PortTakenError } from "./replica-set.ts";
import { MongodEndedError, type MongodFiles, moveMember, startMongod } from "./start-mongod.ts";

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
  for (let attempt = 1, isElsewhere = false; ; attempt += 1) {
    await endLeftBehind(files.dbPath, warn);
    const { port, isRecorded } = await choosePort(portFile);
    const setup = { binary, files, port, warn };
    try {
      if ((isElsewhere || !isRecorded) && (await hasData(files.dbPath))) {
        await moveMember(setup, stop);
      }
      await recordPort(portFile, port);
      return { part: await startMongod(setup, stop), port };
    } catch (error) {
      isElsewhere = error instanceof MemberElsewhereError;
      if (attempt === ATTEMPTS || !(isElsewhere || isPassing(error))) {
        throw error;
      }
    }
  }
}

function hasData(dbPath: string): Promise<boolean> {
  return access(join(dbPath, "WiredTiger")).then(
    () => true,
    () => false,
  );
}

/** Whether the next attempt may find another port, or a server left behind that had not written its process id yet. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof PortTakenError || (error instanceof MongodEndedError && (error.code === PORT_TAKEN || error.code === FILES_IN_USE))
  );
}
