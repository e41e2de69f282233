import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findMongod } from "../../bin/mongod/find-mongod.ts";
import { mongodFinders } from "../../bin/mongod/finders.ts";
import { runMongod } from "../../bin/mongod/run-mongod.ts";
import { Disposables } from "../../platform/lifecycle.ts";

/** A real MongoDB server for this run, found or fetched as the launcher does, unless SALLYPORT_TEST_MONGODB_URI names one. */
export async function startRunDatabase(): Promise<AsyncDisposable> {
  const running = new Disposables();
  if (process.env["SALLYPORT_TEST_MONGODB_URI"] !== undefined) {
    return running;
  }
  const never = new AbortController().signal;
  const directory = await mkdtemp(join(tmpdir(), "sallyport-test-"));
  running.defer(() => rm(directory, { recursive: true, force: true }));
  const binary = await findMongod(mongodFinders(process.env, console.error), never);
  const files = { dbPath: join(directory, "mongod"), logFile: join(directory, "mongod.log") };
  const { part } = await runMongod(binary, files, join(directory, "port"), never, console.error);
  running.use(part);
  process.env["SALLYPORT_TEST_MONGODB_URI"] = part.address;
  return running;
}
