import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { expect } from "chai";
import { MongoClient } from "mongodb";
import { newUuid } from "../../platform/ids.ts";
import { readWholeKeySet } from "../../platform/keys/key-set.ts";
import { KEY_KINDS } from "../../platform/keys/kind.ts";
import { placeOf } from "../../platform/keys/place.ts";
import { initKeys } from "../../platform/keys/rotation.ts";
import { Disposables } from "../../platform/lifecycle.ts";
import { chatService } from "../../proto/gen/policy/services.ts";
import { freshDatabaseUri } from "../support/mongod.ts";
import { call, callOn, connectAndConfirm, logIn, type Person } from "../support/people.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const ENTRY = resolve(import.meta.dirname, "../../dist/bin/sallyport.js");
const ROTATIONS = 3;

type Environment = Readonly<Record<string, string>>;

describe("rotations of all keys under traffic, with two copies of each service", () => {
  it("lose no message and log nobody out, and what was made before them stays good", async function () {
    this.timeout(120_000);
    await using parts = new Disposables();
    const { env, mongodbUri } = await startSecondCopies(parts);
    const stack = parts.use(await startStack({ env }));
    const traffic = parts.use(await Traffic.start(stack.httpUrl, 6));
    const [alice, bob, carol] = [await logIn(stack.httpUrl), await logIn(stack.httpUrl), await logIn(stack.httpUrl)];
    const online = await connectAndConfirm(stack.httpUrl, "chat", alice.tokens.chat.refreshToken);
    const request = { recipientAccountId: bob.accountId, clientMessageId: newUuid(), body: Buffer.from("from before") };
    const before = await callOn(online.socket, chatService.methods.sendMessage, request);

    const rotated = new AbortController();
    const sending = keepSending(traffic, rotated.signal);
    const reconnecting = keepReconnecting(stack.httpUrl, carol, rotated.signal);
    await using ledger = await openLedger(mongodbUri);
    for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
      await rotate(env);
      await ledger.saysInUse(rotation + 2);
    }
    rotated.abort();
    await sending;
    const reconnections = await reconnecting;
    const verdict = await traffic.settle(30_000);

    const repeat = await callOn(online.socket, chatService.methods.sendMessage, request);
    const late = await connectAndConfirm(stack.httpUrl, "chat", bob.tokens.chat.refreshToken);
    const { message } = await late.socket.event();
    const report = { messages: [{ receipt: before.receipt, body: request.body.toString("base64") }] };
    const { status } = await call(stack.httpUrl, "sallyport.chat.v1.ChatService/ReportMessages", report, late.accessToken);
    late.socket.cut();
    online.socket.cut();

    expect(verdict).to.deep.include({ lost: [], duplicated: [], failed: [], loggedOut: [] });
    expect(reconnections).to.be.greaterThan(ROTATIONS);
    expect([repeat.messageId, repeat.receipt]).to.deep.equal([before.messageId, before.receipt]);
    expect(message).to.deep.include({ id: before.messageId, receipt: before.receipt, body: request.body.toString("base64") });
    expect(status).to.equal(200);
    const keys = ROTATIONS + 1;
    expect(await ledger.read()).to.deep.equal({
      messages: verdict.accepted + 1,
      notDelivered: [before.messageId],
      keys: { receipt: keys, digest: keys },
      onRecord: { token: keys, receipt: keys, digest: keys, "at-rest": keys },
    });
    expect(await countKeys(env["SALLYPORT_KEYS_DIR"] ?? "")).to.deep.equal({ token: keys, receipt: keys, digest: keys, "at-rest": keys });
  });
});

describe("a stack whose keys are lost", () => {
  it("does not start with new ones in their place, and starts as before once those of the backup are copied over them", async function () {
    this.timeout(60_000);
    await using parts = new Disposables();
    const keys = await keysDirectory(parts);
    const env = { SALLYPORT_KEYS_DIR: keys };
    const stack = await startStack({ env });
    parts.defer(() => rm(stack.dataDirectory, { recursive: true, force: true }));
    const person = await logIn(stack.httpUrl);
    await stopOnly(stack);
    await cp(keys, `${keys}-backup`, { recursive: true });
    await rm(keys, { recursive: true });

    const refusal = await startStack({ env, inPlaceOf: stack }).catch((error: unknown) => String(error));
    await cp(`${keys}-backup`, keys, { recursive: true });
    const again = parts.use(await startStack({ env, inPlaceOf: stack }));
    const { socket } = await connectAndConfirm(again.httpUrl, "chat", person.tokens.chat.refreshToken);
    socket.cut();

    expect(refusal).to.match(/sallyport: keys that data needs are missing: token:[0-9a-f]{16}\. /);
  });
});

/** A second account and a second chat process, and the environment of a stack that uses them beside its own. */
async function startSecondCopies(parts: Disposables): Promise<{ env: Environment; mongodbUri: string }> {
  const keys = await keysDirectory(parts);
  await initKeys(keys);
  const mongodbUri = freshDatabaseUri();
  const socket = (name: string): string => `unix:${join(keys, "..", `${name}.sock`)}`;
  const env = {
    MONGODB_URI: mongodbUri,
    SALLYPORT_KEYS_DIR: keys,
    CHAT_AT_REST: "aes-256-gcm",
    ACCOUNT_LISTEN: socket("account"),
    CHAT_LISTEN: socket("chat"),
    ACCOUNT_TARGETS: `${socket("account")},${socket("account2")}`,
    CHAT_TARGETS: `${socket("chat")},${socket("chat2")}`,
    ACCOUNT_DEV_LOGIN: "on",
    SALLYPORT_LOG_LEVEL: "error",
  };
  for (const role of ["account", "chat"] as const) {
    const copy = run([role], { ...env, [`${role.toUpperCase()}_LISTEN`]: socket(`${role}2`) });
    parts.defer(async () => {
      copy.kill("SIGTERM");
      await once(copy, "exit");
    });
    await firstLine(copy);
  }
  return { env, mongodbUri };
}

/** Where keys may be, in a folder that is gone at the end. */
async function keysDirectory(parts: Disposables): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-rotation-"));
  parts.defer(() => rm(folder, { recursive: true }));
  return join(folder, "keys");
}

function run(words: readonly string[], env: Environment): ChildProcess {
  const { PATH = "", HOME = "" } = process.env;
  return spawn(process.execPath, [ENTRY, ...words], { env: { PATH, HOME, ...env }, stdio: ["ignore", "pipe", "inherit"] });
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  const [line] = await once(createInterface(stdout as Readable), "line");
  return String(line);
}

/** How many keys of each kind are in a directory. */
async function countKeys(directory: string): Promise<object> {
  const sets = await Promise.all(KEY_KINDS.map((kind) => readWholeKeySet(placeOf(directory, kind))));
  return Object.fromEntries(KEY_KINDS.map((kind, index) => [kind, sets[index]?.all.length]));
}

/** As an operator does it. */
async function rotate(env: Environment): Promise<void> {
  const [code] = await once(run(["keys", "rotate", "--wait-ms=3000"], env), "exit");
  expect(code).to.equal(0);
}

async function keepSending(traffic: Traffic, until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    await traffic.send(5);
  }
  await traffic.send(5);
}

/** Connects again and again, each time with the newest token. Answers how often. */
async function keepReconnecting(httpUrl: string, { tokens }: Person, until: AbortSignal): Promise<number> {
  let { refreshToken } = tokens.account;
  for (let times = 0; ; times += 1) {
    if (until.aborted) {
      return times;
    }
    const connected = await connectAndConfirm(httpUrl, "account", refreshToken);
    connected.socket.cut();
    refreshToken = connected.refreshToken;
  }
}

/** Stops the processes of a stack and leaves its data. */
async function stopOnly({ launcher }: Stack): Promise<void> {
  const ended = once(launcher, "exit");
  launcher.kill("SIGTERM");
  await ended;
}

/** What the databases say about messages and the keys that made them. */
async function openLedger(
  mongodbUri: string,
): Promise<AsyncDisposable & { read(): Promise<Ledger>; saysInUse(keys: number): Promise<void> }> {
  const client = await MongoClient.connect(mongodbUri);
  const base = new URL(mongodbUri.replace("mongodb:", "http:")).pathname.slice(1);
  const [account, chat] = [client.db(`${base}_account`), client.db(`${base}_chat`)];
  const sends = chat.collection("sends");
  const read = async (): Promise<Ledger> => {
    const names = await Promise.all([account, chat].map((db) => db.collection("keyUses").distinct("_id")));
    const kinds = names.flat().map((name) => String(name).split(":", 1)[0] ?? "");
    return {
      messages: await sends.countDocuments(),
      notDelivered: (await sends.distinct("_id", { state: { $ne: "delivered" } })).map(String),
      keys: { receipt: (await sends.distinct("kid")).length, digest: (await sends.distinct("digestKid")).length },
      onRecord: Object.fromEntries(kinds.map((kind) => [kind, kinds.filter((other) => other === kind).length])),
    };
  };
  return {
    read,
    saysInUse: async (count) => {
      const isInUse = ({ keys, onRecord }: Ledger): boolean => Object.values({ ...onRecord, ...keys }).every((number) => number === count);
      while (!isInUse(await read())) {}
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

interface Ledger {
  readonly messages: number;
  readonly notDelivered: readonly string[];
  readonly keys: { readonly receipt: number; readonly digest: number };
  /** By kind. */
  readonly onRecord: Readonly<Record<string, number>>;
}
