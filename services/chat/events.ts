import { addDatabaseGauge } from "../../platform/database-gauge.ts";
import type { SallyportError } from "../../platform/errors.ts";
import type { Logger } from "../../platform/logger.ts";
import { Metrics } from "../../platform/metrics.ts";
import type { Accepted } from "./delivery/message.ts";
import { FAULT_KINDS } from "./ledger/faults.ts";
import { isConsistent, type LedgerReport } from "./ledger/report.ts";

/** What happens in the chat service that somebody may want to know of; one function each. */
export interface ChatEvents {
  databaseAwaited(): void;
  indexesAwaited(): void;
  databaseMigrated(version: number): void;
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
  /** The gateway of an account's socket was told that something came to pass in the inbox. Counted only. */
  wakeSent(): void;
  /** A gateway told of what came to pass in an inbox through another copy. Counted only. */
  wakeReceived(): void;
  /** It is not known whom to tell, or there is no stream to the gateway: the round of the copy that delivers finds it. Counted only. */
  wakeLost(): void;
  /** This copy has checked ledger against inboxes, and repaired what it could. */
  ledgerVerified(report: LedgerReport): void;
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
  const showReachable = addDatabaseGauge(metrics);
  return {
    databaseAwaited: () => logger.warn("waiting for the database"),
    indexesAwaited: () => logger.info("building indexes"),
    databaseMigrated: (version) => logger.info({ version }, "database migrated"),
    databaseReachable: (isReachable) => {
      logger.info({ isReachable }, "database reachability changed");
      showReachable(isReachable);
    },
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
    ...wakeEvents(metrics),
    ...reportEvents(logger, metrics),
    ...ledgerEvents(logger, metrics),
    accountErased: (messageCount) => logger.info({ messageCount }, "account erased"),
    lateMessagesErased: (count) => logger.info({ count }, "late messages erased"),
  };
}

type WakeEvents = Pick<ChatEvents, "wakeSent" | "wakeReceived" | "wakeLost">;

function wakeEvents(metrics: Metrics): WakeEvents {
  const wakes = metrics.counter("sallyport_wakes_total", "Wakes between chat copies: sent, received, or lost and left to the next round.", {
    way: ["sent", "received", "lost"],
  });
  return {
    wakeSent: () => wakes.add(1, "sent"),
    wakeReceived: () => wakes.add(1, "received"),
    wakeLost: () => wakes.add(1, "lost"),
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

function ledgerEvents(logger: Logger, metrics: Metrics): Pick<ChatEvents, "ledgerVerified"> {
  const repaired = metrics.counter("sallyport_ledger_repairs_total", "What a crash had left half done and a check of the ledger mended.", {
    kind: FAULT_KINDS,
  });
  return {
    ledgerVerified: (report) => {
      const { claims, bodies, unanswered } = report;
      const faults = Object.fromEntries(Object.entries(report.faults).filter(([, { found }]) => found > 0));
      logger[isConsistent(report) ? "info" : "error"]({ claims, bodies, unanswered, faults }, "ledger verified");
      for (const kind of FAULT_KINDS) {
        repaired.add(report.faults[kind].repaired, kind);
      }
    },
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
