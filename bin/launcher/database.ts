import type { Env } from "../../platform/env.ts";
import type { Running } from "../../platform/lifecycle.ts";
import { findMongod } from "../mongod/find-mongod.ts";
import { mongodFinders } from "../mongod/finders.ts";
import { runMongod } from "../mongod/run-mongod.ts";
import { startMongod } from "../mongod/start-mongod.ts";
import type { Part } from "../process/part.ts";
import type { DataDirectory } from "./data-directory.ts";
import { keepRunning } from "./keep-running.ts";

/** How the database is run. */
export interface DatabaseSetup {
  readonly directory: DataDirectory;
  readonly env: Env;
  readonly supervise: boolean;
  readonly warn: (line: string) => void;
}

/** Finds or fetches a MongoDB server and runs it on the data directory. Its address is the URI for the services, which a restart keeps. */
export async function startDatabase({ directory, env, supervise, warn }: DatabaseSetup, stop: AbortSignal): Promise<Running> {
  const binary = await findMongod(mongodFinders(env, warn), stop);
  let port: number | undefined;

  const start = async (given: AbortSignal): Promise<Part> => {
    if (port !== undefined) {
      return startMongod({ binary, files: directory.database, port, warn }, given);
    }
    const first = await runMongod(binary, directory.database, directory.databasePort, given, warn);
    port = first.port;
    return first.part;
  };
  return keepRunning({ name: "the database", start, supervise, warn }, stop);
}
