import type { SallyportError } from "../../platform/errors.ts";
import type { Logger } from "../../platform/logger.ts";

/** What happens in the chat service that somebody may want to know of; one function each. */
export interface ChatEvents {
  databaseAwaited(): void;
  databaseReachable(isReachable: boolean): void;
  /** A round that runs every so often failed; the next one makes up for it. */
  roundFailed(round: string, error: unknown): void;
  inboxUnreadable(error: SallyportError): void;
  /** A body cannot be opened: its key is gone, or it was tampered with. It stays in the inbox, the others are delivered. */
  bodyUnreadable(messageId: string, error: unknown): void;
  messagesExpired(count: number): void;
  reportFiled(reportId: string, messageCount: number): void;
}

/** Events as log lines. */
export function createEvents(logger: Logger): ChatEvents {
  return {
    databaseAwaited: () => logger.warn("waiting for the database"),
    databaseReachable: (isReachable) => logger.info({ isReachable }, "database reachability changed"),
    roundFailed: (round, err) => logger.warn({ round, err }, "round failed"),
    inboxUnreadable: (error) => logger.warn({ reason: error.reason, err: error.cause }, "inbox could not be read"),
    bodyUnreadable: (messageId, err) => logger.error({ messageId, err }, "body could not be read"),
    messagesExpired: (count) => logger.info({ count }, "messages expired"),
    reportFiled: (reportId, messageCount) => logger.info({ reportId, messageCount }, "report filed"),
  };
}
