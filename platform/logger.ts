import { destination, type Logger, pino } from "pino";

export type { Logger };

/** A logger that writes one JSON line a fact to standard error, marked with the role of the process. */
export function createLogger(role: string, level: string): Logger {
  const timestamp = (): string => `,"at":"${new Date().toISOString()}"`;
  return pino(
    { base: { role }, level, timestamp, serializers: { err: (error: unknown) => describeError(error) } },
    destination({ fd: 2, sync: true }),
  );
}

const MAX_CAUSES = 3;

/** What is logged of an error and its causes. Nothing else of it: the errors of the MongoDB driver carry the documents that they are about. */
export function describeError(error: unknown, causes: number = MAX_CAUSES): object {
  if (!(error instanceof Error)) {
    return { type: typeof error };
  }
  const { name, message, stack } = error;
  const code = "code" in error && (typeof error.code === "string" || typeof error.code === "number") ? error.code : undefined;
  const cause = error.cause instanceof Error && causes > 0 ? describeError(error.cause, causes - 1) : undefined;
  return { type: name, message, stack, ...(code === undefined ? {} : { code }), ...(cause === undefined ? {} : { cause }) };
}
