import type { Clock } from "../../platform/clock.ts";
import { Disposables, type Running } from "../../platform/lifecycle.ts";
import type { Logger } from "../../platform/logger.ts";
import { Metrics } from "../../platform/metrics.ts";
import { type Database, openDatabase } from "../../platform/mongo.ts";
import { prepareDatabase } from "../../platform/prepare-database.ts";
import { implement } from "../../platform/rpc/call.ts";
import { endService } from "../../platform/rpc/end-service.ts";
import { leaseHandlers } from "../../platform/rpc/lease-handlers.ts";
import { metricsHandlers } from "../../platform/rpc/metrics-handlers.ts";
import { startRpcServer } from "../../platform/rpc/server.ts";
import { openInternalTls } from "../../platform/rpc/tls.ts";
import {
  chatService,
  deliveryService,
  erasureService,
  leaseService,
  metricsService,
  moderationService,
} from "../../proto/gen/policy/services.ts";
import type { ChatConfig } from "./config.ts";
import { type ChatContext, createContext } from "./context.ts";
import { sweepExpired } from "./delivery/expiry.ts";
import { createLapsing } from "./delivery/lapsing.ts";
import { createHealing, HEALING_PARTS } from "./delivery/lost-wakes.ts";
import { INBOX_BOUNDS } from "./delivery/rooms.ts";
import { openDirectory } from "./directory.ts";
import { finishErasures } from "./erasure.ts";
import { createEvents } from "./events.ts";
import { openKeys } from "./keys.ts";
import { type LedgerTimes, ledgerRounds } from "./ledger/rounds.ts";
import { admitReports } from "./reports/admission.ts";
import { startRounds } from "./rounds.ts";
import { chatHandlers, deliveryHandlers, erasureHandlers, moderationHandlers } from "./rpc/handlers.ts";
import { chatDatabase } from "./store/database.ts";
import type { InboxSize } from "./store/inbox.ts";
import type { TimeShift } from "./store/report-buckets.ts";

/** What a test may choose, and what the process counts besides. */
export interface ChatOverrides {
  readonly metrics?: Metrics;
  readonly now?: Clock;
  /** How far the time that reports are limited by is ahead of the clock of the database. */
  readonly shift?: TimeShift;
  readonly bounds?: InboxSize;
  /** How often expired messages are looked for, and lost wakes and late messages of deleted accounts. */
  readonly sweepMs?: number;
  readonly healMs?: number;
  readonly ledger?: LedgerTimes;
}

const HEALTH_MS = 500;
const HEAL_MS = 5_000;
const SWEEP_MS = 60_000;

/** Starts a chat process: waits for the database, then serves. @throws Error when the database is of a newer version, a key is missing or the address is taken. */
export async function startChat(config: ChatConfig, logger: Logger, overrides: ChatOverrides = {}): Promise<Running> {
  const parts = new Disposables();
  try {
    return await start(config, logger, overrides, parts);
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
}

async function start(config: ChatConfig, logger: Logger, overrides: ChatOverrides, parts: Disposables): Promise<Running> {
  const now = overrides.now ?? Date.now;
  const metrics = overrides.metrics ?? new Metrics();
  const events = createEvents(logger, metrics);
  const tls = await openInternalTls(config.internalTls, logger, parts);

  const database = parts.use(openDatabase(config.mongodbUri, "chat"));
  await prepareDatabase(database, chatDatabase, events);
  const keys = parts.use(await openKeys(config, database.db, logger));

  const directory = openDirectory(config.accountTargets, Date.now, tls);
  parts.defer(() => directory[Symbol.dispose]());
  const { bounds = INBOX_BOUNDS, shift = () => 0 } = overrides;
  const context = createContext({ config, db: database.db, keys, directory, events, bounds, now, shift });
  parts.defer(() => context.inboxes.dispose());
  metrics.gauge("sallyport_inboxes", "Inboxes in memory: those that something goes on in.", [], () => [[context.inboxes.size]]);

  const server = parts.use(
    await startRpcServer(
      {
        listen: config.listen,
        variable: "CHAT_LISTEN",
        copy: context.copy,
        implementations: [
          ...admitReports(context, implement(chatService, chatHandlers(context))),
          ...implement(deliveryService, deliveryHandlers(context)),
          ...implement(moderationService, moderationHandlers(context)),
          ...implement(erasureService, erasureHandlers(context)),
          ...implement(leaseService, leaseHandlers(context.leases)),
          ...implement(metricsService, metricsHandlers(metrics)),
        ],
        observer: context.inboxes,
        reflects: config.debug,
        tls,
        metrics,
      },
      logger,
    ),
  );
  server.setHealth("database", true);
  parts.use(startRounds(roundsOf(context, overrides), events));
  parts.use(startRounds(ledgerRounds({ ...context, db: database.db, metrics }, overrides.ledger), events));
  parts.use(startRounds([{ name: "health", everyMs: HEALTH_MS, run: watch(database, server, events) }], events));
  return { address: server.address, [Symbol.asyncDispose]: () => endService(server, parts) };
}

function roundsOf(context: ChatContext, { healMs = HEAL_MS, sweepMs = SWEEP_MS }: ChatOverrides): Parameters<typeof startRounds>[0] {
  const { inbox, inboxes, sends, events, now } = context;
  const lapse = createLapsing(inboxes, now);
  const sweep = async (): Promise<void> => {
    const expired = await sweepExpired(sends, inbox, now());
    if (expired > 0) {
      events.messagesExpired(expired);
    }
  };
  return [
    { name: "heal", everyMs: healMs / HEALING_PARTS, run: createHealing(context) },
    { name: "lapse", everyMs: healMs, run: async () => lapse() },
    { name: "erase", everyMs: healMs, run: () => finishErasures(context) },
    { name: "sweep", everyMs: sweepMs, run: sweep },
  ];
}

function watch(
  database: Database,
  server: { setHealth(part: string, serving: boolean): void },
  events: { databaseReachable(isReachable: boolean): void },
): () => Promise<void> {
  let wasUp = true;
  return async () => {
    const isUp = await database.isUp();
    server.setHealth("database", isUp);
    if (isUp !== wasUp) {
      wasUp = isUp;
      events.databaseReachable(isUp);
    }
  };
}
