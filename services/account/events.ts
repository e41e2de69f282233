import type { Logger } from "../../platform/logger.ts";
import type { ServiceName } from "../../proto/method.ts";

/** What happens in the account service, a function for each. */
export interface AccountEvents {
  accountCreated(accountId: string): void;
  loggedIn(accountId: string, sessionId: string): void;
  refreshTokenReused(accountId: string, sessionId: string, service: ServiceName): void;
  sessionEnded(accountId: string, sessionId: string): void;
  databaseAwaited(): void;
  databaseUp(): void;
  databaseDown(): void;
  sweepFailed(cause: unknown): void;
}

/** Events that become lines of a log. */
export function createEvents(logger: Logger): AccountEvents {
  return {
    accountCreated: (accountId) => logger.info({ accountId }, "account created"),
    loggedIn: (accountId, sessionId) => logger.info({ accountId, sessionId }, "logged in"),
    refreshTokenReused: (accountId, sessionId, service) => logger.warn({ accountId, sessionId, service }, "refresh token reused"),
    sessionEnded: (accountId, sessionId) => logger.info({ accountId, sessionId }, "session ended"),
    databaseAwaited: () => logger.warn("waiting for the database"),
    databaseUp: () => logger.info("database up"),
    databaseDown: () => logger.error("database down"),
    sweepFailed: (cause) => logger.warn({ err: cause }, "sweep failed"),
  };
}
