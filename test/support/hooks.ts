import { startRunDatabase } from "./run-database.ts";
import { stopSharedStacks } from "./stack.ts";

let database: AsyncDisposable | undefined;
/** What was open before the first test: the run's own standard streams. */
let openAtStart: readonly string[] = [];
const unheard: unknown[] = [];

/** Before the first test: the database server of the run. */
export async function mochaGlobalSetup(): Promise<void> {
  openAtStart = openResources();
  process.on("unhandledRejection", (reason) => unheard.push(reason));
  database = await startRunDatabase();
}

/** After the last test: everything stops; what is still open then, or was rejected unheard, fails the run. */
export async function mochaGlobalTeardown(): Promise<void> {
  await stopSharedStacks();
  await database?.[Symbol.asyncDispose]();
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
