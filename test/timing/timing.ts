import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { OperatorToken } from "../../gateway/operator/token.ts";
import { newUuid } from "../../platform/ids.ts";
import { Disposables } from "../../platform/lifecycle.ts";
import { openDatabase } from "../../platform/mongo.ts";
import { createGrants } from "../../services/account/store/grants.ts";
import { PURGE_AFTER_MS } from "../../services/account/store/schema.ts";
import { digestOf } from "../../services/account/tokens/refresh-token.ts";
import { freshDatabaseUri } from "../support/mongod.ts";
import { startRunDatabase } from "../support/run-database.ts";
import { type Experiment, measure } from "./experiment.ts";
import { accessTokenLookup, accessTokenMac, earlyExit, operatorToken, refreshTokenMac } from "./experiments.ts";

/** Beyond this, in either direction, two classes are told apart. */
const THRESHOLD = 4.5;

/** Prints Welch's t of every look-up of a token, and of the control. Answers the exit code: 0 when only the control is told apart. */
async function main(samplesOfEach: number): Promise<number> {
  await using disposables = new Disposables();
  disposables.use(await startRunDatabase());
  const database = disposables.use(openDatabase(freshDatabaseUri(), "account"));
  disposables.defer(() => database.db.dropDatabase());
  const grants = createGrants(database.db);
  const token = randomBytes(32);
  const createdAt = new Date();
  const purgeAt = new Date(createdAt.getTime() + PURGE_AFTER_MS);
  const grant = { service: "chat", accountId: newUuid(), sessionId: newUuid(), generation: 1, createdAt, purgeAt } as const;
  await grants.add({ _id: digestOf(token).toString("hex"), ...grant });

  const experiments = [refreshTokenMac(), accessTokenMac(), accessTokenLookup(grants, token), await openOperatorToken(disposables)];
  const leaks = [];
  for (const experiment of experiments) {
    leaks.push(await report(experiment, samplesOfEach));
  }
  const control = await report(earlyExit(), samplesOfEach);
  return leaks.every((t) => t < THRESHOLD) && control > THRESHOLD ? 0 : 1;
}

async function openOperatorToken(disposables: Disposables): Promise<Experiment> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-timing-"));
  disposables.defer(() => rm(directory, { recursive: true }));
  const file = join(directory, "operator-token");
  // Its ends are characters that a wrong one never has.
  const good = `0${randomBytes(32).toString("base64url")}0`;
  await writeFile(file, good);
  return operatorToken(good, await OperatorToken.open({ file, variable: "GATEWAY_OPERATOR_TOKEN_FILE" }, () => undefined));
}

async function report(experiment: Experiment, samplesOfEach: number): Promise<number> {
  const { t, croppedT, means } = await measure(experiment, samplesOfEach, 1);
  const [first, last] = means.map((mean) => `${(mean / 1000).toFixed(2)} µs`);
  console.log(
    `${experiment.title}\n  ${samplesOfEach} samples of each: ${first} and ${last}, t ${t.toFixed(2)}, cropped ${croppedT.toFixed(2)}`,
  );
  return Math.max(Math.abs(t), Math.abs(croppedT));
}

const { values } = parseArgs({ options: { samples: { type: "string", default: "100000" } } });
process.exitCode = await main(Number(values.samples));
