import { setTimeout as sleep } from "node:timers/promises";
import type { Running } from "../platform/lifecycle.ts";
import { createLogger, type Logger } from "../platform/logger.ts";
import { Metrics } from "../platform/metrics.ts";
import type { Context } from "./command.ts";
import { endOnCrash } from "./crash.ts";
import { parentGone } from "./parent.ts";
import { aborted } from "./process/aborted.ts";
import { stopSignal } from "./signals.ts";

/** An orphan has nobody left to drain for: the other processes of its stack end too, and the next start waits for all of them. */
const ORPHAN_STOP_MS = 1_500;

/**
 * Runs a role in this process: prints `ready <role> <address>` when it is up, and stops it on a signal (exit code 0) or when its launcher is gone (1).
 * @throws what made the start fail, or what made the role unable to go on.
 */
export async function runRole(
  role: string,
  start: (logger: Logger, metrics: Metrics) => Promise<Running>,
  context: Context,
): Promise<number> {
  const stop = stopSignal();
  const orphaned = parentGone(context.env);
  const ending = Promise.race([aborted(stop).then(() => 0), aborted(orphaned).then(() => 1)]);

  const logger = createLogger(role, context.env["SALLYPORT_LOG_LEVEL"] || "info");
  endOnCrash(logger);
  const metrics = new Metrics();
  metrics.observeProcess();
  const running = await Promise.race([start(logger, metrics), ending]);
  if (typeof running === "number") {
    return running;
  }
  try {
    context.print(`ready ${role} ${running.address}`);
    return await Promise.race([ending, running.failed ?? ending]);
  } finally {
    const disposed = running[Symbol.asyncDispose]();
    await Promise.race([disposed, aborted(orphaned).then(() => sleep(ORPHAN_STOP_MS))]);
  }
}
