import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError, type Env, readVariables } from "../../platform/env.ts";
import { SallyportError } from "../../platform/errors.ts";
import type { Db } from "../../platform/mongo.ts";
import type { FaultCount, LedgerReport } from "../../services/chat/ledger/report.ts";
import type { Run } from "../command.ts";

/** A failover takes less than these together. */
const ATTEMPTS = 10;
const RETRY_MS = 3_000;

/** Checks the ledger against the inboxes and repairs it, or only looks, and says what it found. 1: something is left. 2: there is no such database. */
export const verify: Run = async ({ env, flags, print, warn }) => {
  const { openDatabase } = await import("../../platform/mongo.ts");
  const { readVersion } = await import("../../platform/database-schema.ts");
  const { isConsistent } = await import("../../services/chat/ledger/report.ts");
  const { chatDatabase } = await import("../../services/chat/store/database.ts");
  const { Ledger } = await import("../../services/chat/store/ledger.ts");

  await using database = openDatabase(await findUri(env), "chat");
  const { db } = database;
  if (!(await database.isUp())) {
    throw new ConfigError([`MONGODB_URI: the database ${db.databaseName} cannot be reached`]);
  }
  if (!(await new Ledger(db).exists())) {
    throw new ConfigError([`MONGODB_URI: the database ${db.databaseName} holds no ledger`]);
  }
  await readVersion(db, chatDatabase);

  const isLook = flags.has("--check");
  const report = await verifyThroughOutages(db, !isLook, warn);
  linesOf(report, isLook).forEach(print);
  return isConsistent(report) ? 0 : 1;
};

async function verifyThroughOutages(db: Db, repairs: boolean, warn: (line: string) => void): Promise<LedgerReport> {
  const { verifyLedger } = await import("../../services/chat/ledger/verify.ts");
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await verifyLedger(db, { repairs });
    } catch (error) {
      if (!(error instanceof SallyportError && error.status === "UNAVAILABLE") || attempt === ATTEMPTS) {
        throw error;
      }
      warn("the database cannot be asked: once more from the beginning");
      await sleep(RETRY_MS);
    }
  }
}

/** The database that is named, else that of the stack that runs on this data directory, else the default. */
async function findUri(env: Env): Promise<string> {
  const { chatVariables } = await import("../../services/chat/config.ts");
  const { findRunningStack } = await import("../demo/running-stack.ts");
  const running = env["MONGODB_URI"] ? undefined : await findRunningStack(env);
  return running?.mongodbUri ?? readVariables(env, { MONGODB_URI: chatVariables.MONGODB_URI }).MONGODB_URI;
}

function linesOf({ counts, claims, bodies, unanswered, faults }: LedgerReport, isLook: boolean): readonly string[] {
  const { pending, delivered, expired, deleted } = counts;
  const accepted = pending + delivered + expired + deleted;
  const found = Object.entries(faults).filter(([, count]) => count.found > 0);
  return [
    `ledger: ${accepted} messages, ${pending} pending, ${delivered} delivered, ${expired} expired, ${deleted} deleted`,
    `looked at: ${claims} pending claims, ${bodies} bodies, ${unanswered} of the claims not answered yet`,
    ...found.map(([kind, count]) => `${kind}: ${describe(count, isLook)}`),
    ...(found.length === 0 ? ["consistent"] : []),
  ];
}

function describe({ found, repaired, left, examples }: FaultCount, isLook: boolean): string {
  const outcome = isLook ? "" : `, ${repaired} repaired, ${left} left`;
  return `${found} found${outcome} (${examples.join(", ")}${found > examples.length ? ", …" : ""})`;
}
