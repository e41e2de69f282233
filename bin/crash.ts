import type { Logger } from "../platform/logger.ts";

/**
 * From this call on an error that nobody caught ends the process with a line of its log and exit code 1. Node itself would print all that
 * hangs on the error: on those of the MongoDB driver, the documents that they are about.
 */
export function endOnCrash(logger: Logger): void {
  process.on("uncaughtException", (error: unknown) => {
    logger.fatal({ err: error }, "crashed");
    process.exit(1);
  });
}
