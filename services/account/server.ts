import { KeyRing } from "../../platform/keys.ts";
import { Disposables, type Running } from "../../platform/lifecycle.ts";
import type { Logger } from "../../platform/logger.ts";
import { openDatabase } from "../../platform/mongo.ts";
import { prepareDatabase } from "../../platform/prepare-database.ts";
import { startRpcServer } from "../../platform/rpc/server.ts";
import type { AccountConfig } from "./config.ts";
import { createContext } from "./context.ts";
import { implementations } from "./implementations.ts";
import { accountSchemas } from "./store/schema.ts";
import { sweepGrants } from "./sweep.ts";
import { watchDatabase } from "./watch.ts";

/**
 * Starts the account service: waits for the database, however long it takes, then answers gateways.
 * @throws Error naming a key file that is missing or malformed, or when the address cannot be listened on.
 */
export async function startAccount(config: AccountConfig, logger: Logger): Promise<Running> {
  const stack = new Disposables();
  try {
    const ring = await KeyRing.open(config.keysDir, "token");
    const database = stack.use(openDatabase(config.mongodbUri, "account"));
    const context = createContext(config, ring, database.db, logger);
    await prepareDatabase(database, accountSchemas, context.events.databaseAwaited);
    context.leaseWatch.seenUp();

    const { gateways } = context;
    const server = stack.use(
      await startRpcServer(
        {
          listen: config.listen,
          implementations: implementations(context),
          observer: {
            gatewayJoined: (gateway) => void gateways.add(gateway),
            gatewayLeft: (gateway) => void gateways.delete(gateway),
          },
        },
        logger,
      ),
    );
    stack.use(watchDatabase(context, database, (isUp) => server.setHealth("database", isUp)));
    stack.use(sweepGrants(context));

    return { address: server.address, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}
