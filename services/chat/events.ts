import type { SallyportError } from "../../platform/errors.ts";
import type { Logger } from "../../platform/logger.ts";
import { Metrics } from "../../platform/metrics.ts";
import type { Accepted } from "./delivery/message.ts";

/** What happens in the chat service that somebody may want to know of; one function each. */
export interface ChatEvents {
  databaseAwaited(): void;
  databaseReachable(isReachable: boolean): void;
  /** A round that runs every so often failed; the next one makes up for it. */
  roundFailed(round: string, error: unknown): void;
  inboxUnreadable(error: SallyportError): void;
  /** A body cannot be opened: its key is gone, or it was tampered with. It stays in the inbox, the others are delivered. */
  bodyUnreadable(messageId: string, error: unknown): void;
  /** A send was answered with OK, a repeat too. Counted only. */
  sendAnswered(state: Accepted["state"]): void;
  /** Messages were acknowledged for the first time. Counted only. */
  messagesDelivered(count: number): void;
  messagesExpired(count: number): void;
  /** One write to the database named so many messages. Counted only. */
  batchWritten(collection: "sends" | "inbox", messages: number): void;
  reportFiled(reportId: string, messageCount: number): void;
  reportResolved(reportId: string, resolution: "accepted" | "rejected"): void;
  /** An account may not report for a while, since too many of its reports were rejected. */
  reporterSuspended(): void;
  /** An account filed reports too fast. */
  reportLimited(): void;
  /** A deleted account's part here is gone, with so many messages that waited for it. */
  accountErased(messageCount: number): void;
  /** Messages that came for deleted accounts afterwards are gone. */
  lateMessagesErased(count: number): void;
}

const BATCH_SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** Events as log lines and counts. */
export function createEvents(logger: Logger, metrics: Metrics = new Metrics()): ChatEvents {
  const faults = metrics.counter("sallyport_chat_faults_total", "What went wrong and is tried again or left in its place.", {
    fault: ["round", "inbox", "body"],
  });
  return {
    databaseAwaited: () => logger.warn("waiting for the database"),
    databaseReachable: (isReachable) => logger.info({ isReachable }, "database reachability changed"),
    roundFailed: (round, err) => {
      logger.warn({ round, err }, "round failed");
      faults.add(1, "round");
    },
    inboxUnreadable: (error) => {
      logger.warn({ reason: error.reason, err: error.cause }, "inbox could not be read");
      faults.add(1, "inbox");
    },
    bodyUnreadable: (messageId, err) => {
      logger.error({ messageId, err }, "body could not be read");
      faults.add(1, "body");
    },
    ...messageEvents(logger, metrics),
    ...reportEvents(logger, metrics),
    accountErased: (messageCount) => logger.info({ messageCount }, "account erased"),
    lateMessagesErased: (count) => logger.info({ count }, "late messages erased"),
  };
}

type MessageEvents = Pick<ChatEvents, "sendAnswered" | "messagesDelivered" | "messagesExpired" | "batchWritten">;

function messageEvents(logger: Logger, metrics: Metrics): MessageEvents {
  const states: readonly Accepted["state"][] = ["stored", "delivered", "expired", "deleted"];
  const sends = metrics.counter("sallyport_sends_total", "Sends that were answered with OK, repeats too.", { state: states });
  const delivered = metrics.counter("sallyport_messages_delivered_total", "Messages that were acknowledged.");
  const expired = metrics.counter("sallyport_messages_expired_total", "Messages that nobody took in time.");
  const batches = metrics.histogram("sallyport_batch_messages", "Messages in one write to the database.", BATCH_SIZES, {
    collection: ["sends", "inbox"],
  });
  return {
    sendAnswered: (state) => sends.add(1, state),
    messagesDelivered: (count) => delivered.add(count),
    messagesExpired: (count) => {
      logger.info({ count }, "messages expired");
      expired.add(count);
    },
    batchWritten: (collection, messages) => batches.observe(messages, collection),
  };
}

type ReportEvents = Pick<ChatEvents, "reportFiled" | "reportResolved" | "reporterSuspended" | "reportLimited">;

function reportEvents(logger: Logger, metrics: Metrics): ReportEvents {
  const filed = metrics.counter("sallyport_reports_filed_total", "Reports that were filed.");
  const resolved = metrics.counter("sallyport_reports_resolved_total", "Reports that were resolved.", {
    resolution: ["accepted", "rejected"],
  });
  const refused = metrics.counter("sallyport_reports_refused_total", "Reports that were refused before they were read.", {
    cause: ["suspended", "limited"],
  });
  return {
    reportFiled: (reportId, messageCount) => {
      logger.info({ reportId, messageCount }, "report filed");
      filed.add(1);
    },
    reportResolved: (reportId, resolution) => {
      logger.info({ reportId, resolution }, "report resolved");
      resolved.add(1, resolution);
    },
    reporterSuspended: () => {
      logger.info("report refused: too many were rejected");
      refused.add(1, "suspended");
    },
    reportLimited: () => {
      logger.info("report refused: too many were filed");
      refused.add(1, "limited");
    },
  };
}
