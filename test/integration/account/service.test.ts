import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { KeyRing } from "../../../platform/keys/ring.ts";
import { initKeys } from "../../../platform/keys/rotation.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import { createLogger } from "../../../platform/logger.ts";
import { openDatabase } from "../../../platform/mongo.ts";
import { Channel } from "../../../platform/rpc/channel.ts";
import { createClient } from "../../../platform/rpc/client.ts";
import { RelayClient } from "../../../platform/rpc/relay-client.ts";
import { accountService, leaseService, tokenService } from "../../../proto/gen/policy/services.ts";
import { type AccountConfig, accountConfig } from "../../../services/account/config.ts";
import { createContext } from "../../../services/account/context.ts";
import { startAccount } from "../../../services/account/server.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";
import { callOf, check, confirm, logIn, openBench, present, reasonOf } from "./bench.ts";

const LOGGER = createLogger("test", "silent");

async function prepare(stack: Disposables): Promise<AccountConfig> {
  const keysDir = await mkdtemp(join(tmpdir(), "account-keys-"));
  stack.defer(() => rm(keysDir, { recursive: true }));
  await initKeys(keysDir);
  const config = accountConfig({
    ACCOUNT_LISTEN: "127.0.0.1:0",
    MONGODB_URI: freshDatabaseUri(),
    SALLYPORT_KEYS_DIR: keysDir,
    ACCOUNT_DEV_LOGIN: "on",
  });
  const database = stack.use(openDatabase(config.mongodbUri, "account"));
  stack.defer(() => database.db.dropDatabase());
  return config;
}

function soon(): { deadline: number } {
  return { deadline: Date.now() + 5_000 };
}

describe("the account service", () => {
  it("answers a gateway over its relay stream, and tells it when a session ends", async () => {
    await using stack = new Disposables();
    const { address } = stack.use(await startAccount(await prepare(stack), LOGGER));
    const incarnation = randomUUID();
    const revoked = deferred<string>();
    const connected = deferred<void>();
    const relay = new RelayClient(address, incarnation, {
      connected: () => connected.resolve(),
      disconnected: () => undefined,
      pushed: () => undefined,
      revoked: (sessionId) => revoked.resolve(sessionId),
    });
    stack.defer(() => relay[Symbol.dispose]());
    await connected.promise;
    const [accounts, tokens, leases] = [
      createClient(accountService, relay),
      createClient(tokenService, relay),
      createClient(leaseService, relay),
    ];

    await leases.renewLease({ incarnation }, soon());
    const { tokens: pairs } = await accounts.login({ credential: { $case: "dev", value: { name: "alice" } }, client: undefined }, soon());
    const refreshToken = pairs["account"]?.refreshToken ?? Buffer.alloc(0);
    const socket = { address: "192.0.2.1", incarnation, connection: 7 };
    const exchanged = await tokens.presentRefreshToken({ refreshToken, service: "account", ...socket }, soon());
    const shown = { accessToken: exchanged.accessToken, service: "account", address: "192.0.2.1" };
    const caller = { ...(await tokens.checkAccessToken(shown, soon())), service: "account" } as const;
    await accounts.logout({}, { ...soon(), caller });

    expect(await revoked.promise).to.equal(exchanged.sessionId);
    expect(await reasonOf(tokens.checkAccessToken(shown, soon()))).to.equal("UNAUTHENTICATED ACCESS_TOKEN_REFUSED");
    expect((await tokens.listRevocations({ cursor: "" }, soon())).sessionIds).to.deep.equal([exchanged.sessionId]);
  });

  it("says by a health check that the database answers", async () => {
    await using stack = new Disposables();
    const { address } = stack.use(await startAccount(await prepare(stack), LOGGER));
    const channel = new Channel(address);
    stack.defer(() => channel[Symbol.dispose]());

    expect(await channel.isServing("", Date.now() + 5_000)).to.equal(true);
    expect(await channel.isServing("database", Date.now() + 5_000)).to.equal(true);
  });

  it("waits for a database that is not there yet rather than dying", async () => {
    await using stack = new Disposables();
    const config = await prepare(stack);
    const port = await freePort();
    const mongodbUri = config.mongodbUri.replace(/\/\/[^/]*/, `//127.0.0.1:${port}`).replace(/\?.*$/, "?directConnection=true");
    const waiting = deferred<string>();
    const logger = Object.assign(Object.create(LOGGER), { warn: waiting.resolve });

    const started = startAccount({ ...config, mongodbUri }, logger);
    const line = await waiting.promise;
    stack.defer(await forward(port, new URL(config.mongodbUri.replace("mongodb:", "http:"))));
    const { address } = stack.use(await started);

    expect(line).to.equal("waiting for the database");
    expect(address).to.match(/^127\.0\.0\.1:\d+$/);
  });

  it("names the variable whose address is taken", async () => {
    await using stack = new Disposables();
    const config = await prepare(stack);
    const { address } = stack.use(await startAccount(config, LOGGER));
    const error = await startAccount({ ...config, listen: address }, LOGGER).catch((thrown: unknown) => thrown);

    expect(String(error)).to.equal(`Error: ACCOUNT_LISTEN: cannot listen on ${address}`);
  });

  it("names the key file that is missing", async () => {
    await using stack = new Disposables();
    const config = await prepare(stack);
    const error = await startAccount({ ...config, keysDir: join(config.keysDir, "none") }, LOGGER).catch((thrown: unknown) => thrown);

    expect(String(error)).to.include("none");
  });
});

describe("a database that cannot be asked", () => {
  it("makes every question unavailable, and refuses nobody", async () => {
    await using bench = await openBench();
    const { chat, sessionId, accountId } = await logIn(bench);
    const { accessToken, nextRefreshToken, generation } = await present(bench, chat);
    await using database = openDatabase(`mongodb://127.0.0.1:${await freePort()}/x?directConnection=true`, "account");
    const ring = await KeyRing.open(bench.keysDir, "token");
    const down = { ...bench, context: createContext(bench.context.config, ring, [], database.db, LOGGER) };

    const reasons = await Promise.all([
      reasonOf(present(down, nextRefreshToken)),
      reasonOf(confirm(down, sessionId, generation)),
      reasonOf(check(down, accessToken)),
      reasonOf(logIn(down)),
      reasonOf(down.context.revocations.now()),
      reasonOf(down.context.revocations.end(sessionId, { accountId, reason: "logout", deadline: callOf().deadline })),
    ]);

    expect([...new Set(reasons)]).to.deep.equal(["UNAVAILABLE DATABASE_UNAVAILABLE"]);
    expect((await present(bench, chat)).nextRefreshToken.equals(nextRefreshToken)).to.equal(true);
  });
});

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A port of this machine with nothing behind it. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Forwards a port to another address, until the answered function is called. */
async function forward(port: number, { hostname, port: to }: URL): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(Number(to), hostname);
    for (const one of [socket, onward]) {
      sockets.add(one);
      one.on("error", () => one.destroy());
      one.on("close", () => sockets.delete(one));
    }
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return async () => {
    for (const socket of sockets) {
      socket.destroy();
    }
    await new Promise((resolve) => server.close(resolve));
  };
}
