import type { Clock } from "../../platform/clock.ts";
import { Disposables, type Running } from "../../platform/lifecycle.ts";
import type { Logger } from "../../platform/logger.ts";
import { type Database, openDatabase } from "../../platform/mongo.ts";
import { prepareDatabase } from "../../platform/prepare-database.ts";
import { implement } from "../../platform/rpc/call.ts";
import { leaseHandlers } from "../../platform/rpc/lease-handlers.ts";
import { startRpcServer } from "../../platform/rpc/server.ts";
import { chatService, deliveryService, leaseService } from "../../proto/gen/policy/services.ts";
import type { ChatConfig } from "./config.ts";
import { type ChatContext, createContext } from "./context.ts";
import { sweepExpired } from "./delivery/expiry.ts";
import { healLostWakes } from "./delivery/lost-wakes.ts";
import { INBOX_BOUNDS } from "./delivery/rooms.ts";
import { openDirectory } from "./directory.ts";
import { createEvents } from "./events.ts";
import { startRounds } from "./rounds.ts";
import { chatHandlers, deliveryHandlers } from "./rpc/handlers.ts";
import type { InboxSize } from "./store/inbox.ts";
import { chatSchemas } from "./store/schema.ts";

/** What a test may choose. */
export interface ChatOverrides {
  readonly now?: Clock;
  readonly bounds?: InboxSize;
  /** How often expired messages and lost wakes are looked for. */
  readonly sweepMs?: number;
  readonly healMs?: number;
}

const HEALTH_MS = 500;
const HEAL_MS = 5_000;
const SWEEP_MS = 60_000;

/** Starts a chat process: waits for the database, then serves. @throws Error when a key is missing or the address is taken. */
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
  const events = createEvents(logger);

  const database = parts.use(openDatabase(config.mongodbUri, "chat"));
  await prepareDatabase(database, chatSchemas, events.databaseAwaited);

  const directory = openDirectory(config.accountTargets, Date.now);
  parts.defer(() => directory[Symbol.dispose]());
  const context = await createContext({ config, db: database.db, directory, events, bounds: overrides.bounds ?? INBOX_BOUNDS, now });
  parts.defer(() => context.inboxes.dispose());

  const server = parts.use(
    await startRpcServer(
      {
        listen: config.listen,
        implementations: [
          ...implement(chatService, chatHandlers(context)),
          ...implement(deliveryService, deliveryHandlers(context)),
          ...implement(leaseService, leaseHandlers(context.leases)),
        ],
        observer: context.inboxes,
      },
      logger,
    ),
  );
  server.setHealth("database", true);
  parts.use(startRounds(roundsOf(context, overrides), events));
  parts.use(startRounds([{ name: "health", everyMs: HEALTH_MS, run: watch(database, server, events) }], events));
  return { address: server.address, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
}

function roundsOf(context: ChatContext, { healMs = HEAL_MS, sweepMs = SWEEP_MS }: ChatOverrides): Parameters<typeof startRounds>[0] {
  const { inbox, sends, events, now } = context;
  const sweep = async (): Promise<void> => {
    const expired = await sweepExpired(sends, inbox, now());
    if (expired > 0) {
      events.messagesExpired(expired);
    }
  };
  return [
    { name: "heal", everyMs: healMs, run: () => healLostWakes(context) },
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
