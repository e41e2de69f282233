import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findMongod } from "../../bin/mongod/find-mongod.ts";
import { mongodFinders } from "../../bin/mongod/finders.ts";
import { runMongod } from "../../bin/mongod/run-mongod.ts";
import { Disposables } from "../../platform/lifecycle.ts";
import { stopSharedStacks } from "./stack.ts";

const running = new Disposables();
/** What was open before the first test: the run's own standard streams. */
let openAtStart: readonly string[] = [];
const unheard: unknown[] = [];

/** Before the first test: a real MongoDB server of the run's own, found or fetched as the launcher does. */
export async function mochaGlobalSetup(): Promise<void> {
  openAtStart = openResources();
  process.on("unhandledRejection", (reason) => unheard.push(reason));
  if (process.env["SALLYPORT_TEST_MONGODB_URI"] !== undefined) {
    return;
  }
  const never = new AbortController().signal;
  const directory = await mkdtemp(join(tmpdir(), "sallyport-test-"));
  running.defer(() => rm(directory, { recursive: true, force: true }));
  const binary = await findMongod(mongodFinders(process.env, console.error), never);
  const files = { dbPath: join(directory, "mongod"), logFile: join(directory, "mongod.log") };
  const { part } = await runMongod(binary, files, join(directory, "port"), never, console.error);
  running.use(part);
  process.env["SALLYPORT_TEST_MONGODB_URI"] = part.address;
}

/** After the last test: everything stops; what is still open then, or was rejected unheard, fails the run. */
export async function mochaGlobalTeardown(): Promise<void> {
  await stopSharedStacks();
  await running[Symbol.asyncDispose]();
  await new Promise((resolve) => setImmediate(resolve));
  const wrong = [
    ...leftOpen().map((resource) => `left open: ${resource}`),
    ...unheard.map((reason) => `unhandled rejection: ${String(reason)}`),
  ];
  if (wrong.length > 0) {
    console.error(wrong.join("\n"));
    // What is left open would keep the run from ending, and mocha ends by what it counted.
    process.exit(1);
  }
}

function leftOpen(): string[] {
  const remaining = [...openAtStart];
  return openResources().filter((resource) => {
    const index = remaining.indexOf(resource);
    remaining.splice(index, index < 0 ? 0 : 1);
    return index < 0;
  });
}

function openResources(): string[] {
  return process.getActiveResourcesInfo().filter((resource) => /^(Timeout|TCP|Pipe|Process|HTTP|UDP)/.test(resource));
}
