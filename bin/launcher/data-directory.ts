import { mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";

/** Where things are in the data directory. */
export interface DataDirectory {
  readonly path: string;
  /** What belongs to the processes that run: their sockets, and who they are. */
  readonly run: string;
  readonly database: { readonly dbPath: string; readonly logFile: string };
  readonly databasePort: string;
}

/** Makes the data directory, for its owner alone, where it is missing. One that exists keeps its mode. */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const real = await realpath(path);
  const directory = {
    path: real,
    run: join(real, "run"),
    database: { dbPath: join(real, "mongod"), logFile: join(real, "log", "mongod.log") },
    databasePort: join(real, "mongod-port"),
  };
  await mkdir(directory.run, { recursive: true, mode: 0o700 });
  await mkdir(join(real, "log"), { recursive: true, mode: 0o700 });
  return directory;
}
