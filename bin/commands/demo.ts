import { setTimeout as sleep } from "node:timers/promises";
import type { Run } from "../command.ts";
import { flagValue } from "../flag-value.ts";
import { aborted } from "../process/aborted.ts";
import { stopSignal } from "../signals.ts";

const LONGEST_MS = 60_000;
const URL_FLAG = "--url=";

/** Plays the demo against the stack at the given URL, else against the one that runs on this data directory, else against one of its own that is stopped at the end. */
export const demo: Run = async ({ entry, env, flags, print, warn }) => {
  const stop = AbortSignal.any([stopSignal(), readerGone()]);
  const { runDemo } = await import("../demo/run-demo.ts");
  const { findRunningStack } = await import("../demo/running-stack.ts");
  const { startScratchStack } = await import("../demo/scratch-stack.ts");

  const play = (setup: { url: string; mongodbUri: string | undefined }): Promise<number> =>
    Promise.race([runDemo({ ...setup, print }).then(() => 0), aborted(stop).then(() => 1), tooLong()]);

  const given = flagValue(flags, URL_FLAG);
  if (given !== undefined) {
    return play({ url: given, mongodbUri: env["MONGODB_URI"] || undefined });
  }
  const running = await findRunningStack(env);
  if (running !== undefined) {
    print(`with the stack that runs at ${running.url}`);
    return play(running);
  }
  print("starting a stack for the demo");
  await using stack = await startScratchStack(entry, env, stop, warn);
  return await play(stack);
};

/** Aborts when nobody reads what is printed any more. */
function readerGone(): AbortSignal {
  const gone = new AbortController();
  process.stdout.on("error", () => gone.abort());
  return gone.signal;
}

async function tooLong(): Promise<never> {
  await sleep(LONGEST_MS, undefined, { ref: false });
  throw new Error(`the demo did not come to its end within ${LONGEST_MS} ms`);
}
