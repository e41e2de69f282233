import { openConfiguredRing } from "../../platform/keys/configured-ring.ts";
import { createKeyEvents } from "../../platform/keys/events.ts";
import { keepKeys } from "../../platform/keys/keeping.ts";
import type { KeyRing } from "../../platform/keys/ring.ts";
import { KeyUses } from "../../platform/keys/uses.ts";
import { Disposables, type Running } from "../../platform/lifecycle.ts";
import type { Logger } from "../../platform/logger.ts";
import { Metrics } from "../../platform/metrics.ts";
import { type Db, openDatabase } from "../../platform/mongo.ts";
import { prepareDatabase } from "../../platform/prepare-database.ts";
import { endService } from "../../platform/rpc/end-service.ts";
import { startRpcServer } from "../../platform/rpc/server.ts";
import { openInternalTls } from "../../platform/rpc/tls.ts";
import { openChatErasure } from "./chat-erasure.ts";
import type { AccountConfig } from "./config.ts";
import { createContext } from "./context.ts";
import { followUpAccounts } from "./follow-up.ts";
import { loadProviders } from "./identity/load-providers.ts";
import { implementations } from "./implementations.ts";
import { accountDatabase } from "./store/database.ts";
import { keyedData } from "./store/keyed-data.ts";
import { sweepGrants } from "./sweep.ts";
import { watchDatabase } from "./watch.ts";

/**
 * Starts the account service: waits for the database, however long it takes, then answers gateways.
 * @throws ConfigError for a wrong list of identity providers, files of mutual TLS or a key that is missing or malformed; Error for a database of a newer version, naming a
 * key that data needs, or when the address cannot be listened on.
 */
export async function startAccount(config: AccountConfig, logger: Logger, metrics: Metrics = new Metrics()): Promise<Running> {
  const stack = new Disposables();
  try {
    const providers = await loadProviders(config.identity);
    const tls = await openInternalTls(config.internalTls, logger, stack);
    const ring = await openConfiguredRing(config.keysDir, "token");
    const database = stack.use(openDatabase(config.mongodbUri, "account"));
    const context = createContext(config, ring, providers, database.db, logger, undefined, metrics);
    await prepareDatabase(database, accountDatabase, context.events);
    stack.use(await keepTokenKeys(ring, database.db, config.lostKeys, logger));
    context.leaseWatch.seenUp();

    const { gateways } = context;
    const server = stack.use(
      await startRpcServer(
        {
          listen: config.listen,
          variable: "ACCOUNT_LISTEN",
          implementations: implementations(context),
          observer: {
            gatewayJoined: (gateway) => void gateways.add(gateway),
            gatewayLeft: (gateway) => void gateways.delete(gateway),
          },
          reflects: config.debug,
          tls,
          metrics,
        },
        logger,
      ),
    );
    stack.use(watchDatabase(context, database, (isUp) => server.setHealth("database", isUp)));
    stack.use(sweepGrants(context));
    const chat = openChatErasure(config.chatTargets, tls);
    stack.defer(() => chat[Symbol.dispose]());
    stack.use(followUpAccounts(context, chat));
    return { address: server.address, [Symbol.asyncDispose]: () => endService(server, stack) };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

function keepTokenKeys(ring: KeyRing, db: Db, lost: readonly string[], logger: Logger): Promise<AsyncDisposable> {
  return keepKeys({ rings: [ring], uses: new KeyUses(db), data: keyedData(db), lost, events: createKeyEvents(logger) });
}
