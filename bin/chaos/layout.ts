import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Env } from "../../platform/env.ts";
import { initKeys } from "../../platform/keys/rotation.ts";
import { Disposables } from "../../platform/lifecycle.ts";
import type { Role } from "../launcher/role.ts";
import { findMongod } from "../mongod/find-mongod.ts";
import { mongodFinders } from "../mongod/finders.ts";
import { type SetSettings, setUri } from "../mongod/member-set.ts";
import type { Member } from "./member.ts";
import { openPlaces, type Place } from "./place.ts";
import { ReplicaSet } from "./replica-set.ts";
import { roleEnvironment } from "./role-environment.ts";
import { startRoleMember } from "./role-member.ts";
import { openScratchDirectory } from "./scratch-directory.ts";
import { settleAll } from "./settle-all.ts";
import { untilSo } from "./until-so.ts";

const ANSWER_MS = 5_000;

/** How many processes of each kind a layout has, and what they run. */
export interface LayoutShape {
  readonly gateways: number;
  readonly chats: number;
  readonly accounts: number;
  readonly mongods: number;
  /** Whether each server of the database has a disk of its own that can be filled, where that can be had. */
  readonly ownDisks?: boolean;
  /** How soon the servers of the database find out about each other; undefined: they miss their primary after 2 s. */
  readonly setSettings?: SetSettings;
  /** The program that plays the roles: the compiled `sallyport.js`. */
  readonly entry: string;
  /** Set for the roles besides what the layout itself decides. */
  readonly env: Env;
}

/** What a layout is given by whoever starts it. */
export interface LayoutSurroundings {
  /** The environment in which programs and the database's server are found. */
  readonly env: Env;
  readonly warn: (line: string) => void;
  /** Gives the start up, and the waiting for readiness. */
  readonly stop: AbortSignal;
}

/** A whole Sallyport of many processes on this machine, on data of its own, which is removed in the end. */
export interface Layout extends AsyncDisposable {
  /** Where clients connect: the gateways' proxies. */
  readonly gatewayUrls: readonly string[];
  readonly adminUrls: readonly string[];
  /** The replica set, by its proxies. */
  readonly mongodbUri: string;
  readonly database: ReplicaSet;
  readonly members: readonly Member[];
  readonly operatorToken: string;
  /** Has a process that is paused go on when this one ends, however that is. */
  readonly wakeInTheEnd: (pid: number) => void;
  /** Resolves when every part of it answers and the replica set is whole; rejects when that takes too long. */
  ready(): Promise<void>;
  /** What the roles have logged so far. */
  log(): string;
}

/** Starts a layout: the servers of the database and the gateways at once, the services when there is a primary. */
export async function startLayout(shape: LayoutShape, surroundings: LayoutSurroundings): Promise<Layout> {
  const owned = new Disposables();
  try {
    return await start(shape, surroundings, owned);
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

async function start(shape: LayoutShape, { env, warn, stop }: LayoutSurroundings, owned: Disposables): Promise<Layout> {
  const scratch = owned.use(await openScratchDirectory());
  const directory = scratch.path;
  const [binary, operatorToken] = await Promise.all([findMongod(mongodFinders(env, warn), stop), makeSecrets(directory)]);
  const counts = { gateway: shape.gateways, chat: shape.chats, account: shape.accounts, mongod: shape.mongods };
  const places = await openPlaces(counts, directory, owned);
  const of = (kind: Place["kind"]): readonly Place[] => places.filter((place) => place.kind === kind);

  const mongodbUri = setUri(of("mongod").map(({ proxy }) => proxy.address));
  const whereabouts = { mongodbUri, dataDirectory: directory, operatorTokenFile: join(directory, TOKEN_FILE), places };
  const startRole = (role: Role): readonly Promise<Member>[] =>
    of(role).map((place) => {
      const roleEnv = { ...roleEnvironment(place, whereabouts, env), ...shape.env };
      return startRoleMember({ place, role, command: commandOf(shape.entry, role), env: roleEnv, warn }, owned, stop);
    });
  const gateways = settleAll(startRole("gateway"));
  owned.defer(() => gateways.catch(() => undefined));
  const database = owned.use(
    await ReplicaSet.start(
      { binary, directory, places: of("mongod"), ownDisks: shape.ownDisks ?? false, settings: shape.setSettings, warn },
      stop,
    ),
  );
  const services = settleAll([...startRole("chat"), ...startRole("account")]);
  const roles = (await settleAll([gateways, services])).flat();

  const adminUrls = of("gateway").map(({ adminPort }) => `http://127.0.0.1:${adminPort}`);
  return {
    gatewayUrls: of("gateway").map(({ proxy }) => `http://${proxy.address}`),
    adminUrls,
    mongodbUri,
    database,
    members: [...roles, ...database.members],
    operatorToken,
    wakeInTheEnd: scratch.wakeInTheEnd,
    ready: () => untilSo(() => isReady(adminUrls, database), "the layout is not ready", stop),
    log: () => places.flatMap(({ kind, logFile }) => (kind === "mongod" ? [] : readFileSync(logFile, "utf8"))).join(""),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

const TOKEN_FILE = "operator-token";

/** Makes the keys that all copies share, and the token that operators show at any gateway; answers the token. */
async function makeSecrets(directory: string): Promise<string> {
  const token = randomBytes(32).toString("base64url");
  await Promise.all([
    mkdir(join(directory, "log")),
    initKeys(join(directory, "keys")),
    writeFile(join(directory, TOKEN_FILE), token, { mode: 0o600 }),
  ]);
  return token;
}

/** A compiled program needs none of the loaders that this process may run with. */
function commandOf(entry: string, role: Role): readonly [string, ...string[]] {
  return [process.execPath, ...(entry.endsWith(".ts") ? process.execArgv : []), entry, role];
}

async function isReady(adminUrls: readonly string[], database: ReplicaSet): Promise<boolean> {
  const answers = adminUrls.map(async (url) => (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) })).ok);
  const ready = await Promise.all([database.isWhole(), ...answers]).catch(() => [false]);
  return !ready.includes(false);
}
