import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { KeyRing } from "../../../platform/keys/ring.ts";
import { activateKeys, initKeys, publishKeys, rotateKeys } from "../../../platform/keys/rotation.ts";
import { KeyUses } from "../../../platform/keys/uses.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import { createLogger } from "../../../platform/logger.ts";
import { openDatabase } from "../../../platform/mongo.ts";
import { type AccountConfig, accountConfig } from "../../../services/account/config.ts";
import { startAccount } from "../../../services/account/server.ts";
import { createTokenKeys } from "../../../services/account/token-keys.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";
import { type Bench, confirm, logIn, openBench, present, reasonOf } from "./bench.ts";

const LOGGER = createLogger("test", "silent");

describe("two copies of the account service whose keys directories are copied from one to the other", () => {
  it("never meet a token that they cannot check when a key is published, copied, then activated", async () => {
    await using stack = new Disposables();
    const { here, there, copyOver } = await twoMachines(stack);

    await publishKeys(here.keysDir);
    await copyOver();
    await activateKeys(here.keysDir);
    await here.ring.reloadSoon();
    const bySuccessor = await logIn(here.bench);
    const byPredecessor = await logIn(there.bench);

    expect(here.ring.active.kid).to.not.equal(there.ring.active.kid);
    expect(await reasonOf(present(there.bench, bySuccessor.chat))).to.equal("OK");
    expect(await reasonOf(present(here.bench, byPredecessor.chat))).to.equal("OK");
  });

  it("would meet one when a key were activated at once", async () => {
    await using stack = new Disposables();
    const { here, there } = await twoMachines(stack);

    await rotateKeys(here.keysDir);
    await here.ring.reloadSoon();
    const bySuccessor = await logIn(here.bench);

    expect(await reasonOf(present(there.bench, bySuccessor.chat))).to.equal("UNAUTHENTICATED REFRESH_TOKEN_REFUSED");
  });
});

describe("the rotation of token keys", () => {
  it("keeps every session over several rotations, each token signed by the key of its time", async () => {
    await using bench = await openBench();
    const ring = await KeyRing.open(bench.keysDir, "token");
    const copy = { ...bench, context: { ...bench.context, keys: createTokenKeys(ring) } };
    const signers = new Set<string>();
    let { chat, sessionId } = await logIn(copy);

    for (let round = 0; round < 4; round += 1) {
      signers.add(ring.active.kid);
      const { nextRefreshToken, generation } = await present(copy, chat);
      await confirm(copy, sessionId, generation);
      chat = nextRefreshToken;
      await rotateKeys(bench.keysDir);
      await ring.reloadSoon();
    }

    expect(signers.size).to.equal(4);
    expect(await reasonOf(present(copy, chat))).to.equal("OK");
  });
});

describe("the account service", () => {
  it("does not start without the key that signed its sessions' tokens, nor with a new one in its place, and starts once it is back", async () => {
    await using stack = new Disposables();
    const config = await prepare(stack);
    const { kid } = (await KeyRing.open(config.keysDir, "token")).active;
    const backup = `${config.keysDir}-backup`;
    await cp(config.keysDir, backup, { recursive: true });
    stack.defer(() => rm(backup, { recursive: true }));
    await (await startAccount(config, LOGGER))[Symbol.asyncDispose]();
    const { db } = stack.use(openDatabase(config.mongodbUri, "account"));
    await db.collection("sessions").insertOne({ lastSeenAt: new Date() });
    await rm(config.keysDir, { recursive: true });
    await initKeys(config.keysDir);

    const refusal = await startAccount(config, LOGGER).catch((error: unknown) => String(error));
    const onRecord = await new KeyUses(db).list();
    await cp(backup, config.keysDir, { recursive: true });
    stack.use(await startAccount(config, LOGGER));

    expect(refusal).to.include(`keys that data needs are missing: token:${kid}. `);
    expect(onRecord.map((use) => use.kid)).to.deep.equal([kid]);
  });

  it("starts with new keys when the old ones are lost and nobody ever logged in", async () => {
    await using stack = new Disposables();
    const config = await prepare(stack);
    await (await startAccount(config, LOGGER))[Symbol.asyncDispose]();
    await rm(config.keysDir, { recursive: true });
    await initKeys(config.keysDir);

    expect(stack.use(await startAccount(config, LOGGER)).address).to.match(/^127\.0\.0\.1:\d+$/);
  });
});

interface Machine {
  readonly keysDir: string;
  readonly ring: KeyRing;
  readonly bench: Bench;
}

/** One service on two machines, each with a keys directory of its own. */
async function twoMachines(stack: Disposables): Promise<{ here: Machine; there: Machine; copyOver(): Promise<void> }> {
  const bench = stack.use(await openBench());
  const other = await mkdtemp(join(tmpdir(), "account-keys-"));
  stack.defer(() => rm(other, { recursive: true }));
  const copyOver = (): Promise<void> => cp(bench.keysDir, other, { recursive: true });
  await copyOver();
  const machine = async (keysDir: string): Promise<Machine> => {
    const ring = await KeyRing.open(keysDir, "token");
    return { keysDir, ring, bench: { ...bench, context: { ...bench.context, keys: createTokenKeys(ring) } } };
  };
  return { here: await machine(bench.keysDir), there: await machine(other), copyOver };
}

async function prepare(stack: Disposables): Promise<AccountConfig> {
  const keysDir = await mkdtemp(join(tmpdir(), "account-keys-"));
  stack.defer(() => rm(keysDir, { recursive: true }));
  await initKeys(keysDir);
  const config = accountConfig({ ACCOUNT_LISTEN: "127.0.0.1:0", MONGODB_URI: freshDatabaseUri(), SALLYPORT_KEYS_DIR: keysDir });
  const database = stack.use(openDatabase(config.mongodbUri, "account"));
  stack.defer(() => database.db.dropDatabase());
  return config;
}
