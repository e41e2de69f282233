import type { DatabaseSchema } from "../../platform/database-schema.ts";
import { ConfigError } from "../../platform/env.ts";
import type { Db } from "../../platform/mongo.ts";
import type { Context, Run } from "../command.ts";
import { launcherConfig } from "../launcher/config.ts";

/** Makes the databases of both services what the services need: collections, indexes, the version of the data, and on a sharded cluster the shards. */
export const databasePrepare: Run = async (context) => {
  const { accountDatabase } = await import("../../services/account/store/database.ts");
  const { chatDatabase } = await import("../../services/chat/store/database.ts");
  const { mongodbUri } = launcherConfig(context.env);
  if (mongodbUri === undefined) {
    throw new ConfigError(["MONGODB_URI: expected the database to prepare; without it, npm start prepares its own"]);
  }

  await prepare(context, mongodbUri, "account", accountDatabase);
  await prepare(context, mongodbUri, "chat", chatDatabase);
  return 0;
};

async function prepare({ print, warn }: Context, uri: string, service: string, schema: DatabaseSchema): Promise<void> {
  const { versionOf } = await import("../../platform/database-schema.ts");
  const { openDatabase } = await import("../../platform/mongo.ts");
  const { prepareDatabase } = await import("../../platform/prepare-database.ts");
  const { describeChanges, readIndexes } = await import("../database/collection-changes.ts");
  const { findCluster } = await import("../database/cluster.ts");
  const { shardCollections } = await import("../database/shard-collections.ts");
  await using database = openDatabase(uri, service);
  const { db } = database;
  await requireAnswer(db);

  const before = await readIndexes(db);
  await prepareDatabase(database, schema, {
    databaseAwaited: () => warn(`${db.databaseName}: waiting for the database`),
    indexesAwaited: () => print(`${db.databaseName}: building indexes`),
    databaseMigrated: (version) => print(`${db.databaseName}: migrated to version ${version}`),
  });
  print(`${db.databaseName}: version ${versionOf(schema)}`);
  describeChanges(db.databaseName, schema.collections, before, await readIndexes(db)).forEach(print);

  const cluster = await findCluster(database);
  if (cluster === undefined) {
    print(`${db.databaseName}: not on a sharded cluster, nothing to shard`);
  } else {
    await shardCollections(cluster, schema.collections, print);
  }
}

/** An operator is told why nobody answers, where a service would wait. */
async function requireAnswer(db: Db): Promise<void> {
  try {
    await db.command({ ping: 1 });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`MONGODB_URI: the database cannot be asked: ${message}`]);
  }
}
