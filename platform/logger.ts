import { destination, type Logger, pino } from "pino";

export type { Logger };

/** A logger that writes one JSON line a fact to standard error, marked with the role of the process. */
export function createLogger(role: string, level: string): Logger {
  return pino({ base: { role }, level, timestamp: () => `,"at":"${new Date().toISOString()}"` }, destination({ fd: 2, sync: true }));
}
