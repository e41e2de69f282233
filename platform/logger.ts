import { destination, type Logger, pino } from "pino";

export type { Logger };

/** A logger that writes one JSON line a fact to standard error, marked with the role of the process. */
export function createLogger(role: string, level: string): Logger {
  const timestamp = (): string => `,"at":"${new Date().toISOString()}"`;
  return pino({ base: { role }, level, timestamp, serializers: { err: describeError } }, destination({ fd: 2, sync: true }));
}

/** What is logged of an error. Nothing else of it: the errors of the MongoDB driver carry the documents that they are about. */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) {
    return { type: typeof error };
  }
  const { name, message, stack } = error;
  const code = "code" in error && (typeof error.code === "string" || typeof error.code === "number") ? error.code : undefined;
  return { type: name, message, stack, ...(code === undefined ? {} : { code }) };
}
