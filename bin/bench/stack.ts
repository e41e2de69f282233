import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { limitVariables } from "../../gateway/limits/rates.ts";
import type { Env } from "../../platform/env.ts";
import { initKeys } from "../../platform/keys/rotation.ts";
import { Disposables } from "../../platform/lifecycle.ts";
import { openScratchDirectory } from "../chaos/scratch-directory.ts";
import { settleAll } from "../chaos/settle-all.ts";
import type { Role } from "../launcher/role.ts";
import { startRole } from "../launcher/start-role.ts";
import { mongodUri } from "../mongod/arguments.ts";
import { findMongod } from "../mongod/find-mongod.ts";
import { mongodFinders } from "../mongod/finders.ts";
import { startMongod } from "../mongod/start-mongod.ts";
import { PARENT_VARIABLE } from "../parent.ts";
import { lastingPorts } from "../process/lasting-ports.ts";

/** How many processes of each kind there are; the database is one server, a replica set of one. */
export interface StackShape {
  readonly gateways: number;
  readonly chats: number;
  readonly accounts: number;
}

/** What a stack is started with. */
export interface StackSetup {
  readonly shape: StackShape;
  /** The compiled program that plays the roles. */
  readonly entry: string;
  readonly env: Env;
  /** Flags for Node, for the roles. */
  readonly nodeFlags: readonly string[];
  readonly warn: (line: string) => void;
  readonly stop: AbortSignal;
}

/** A process of the stack. */
export interface StackProcess {
  readonly name: string;
  readonly kind: Role | "mongod";
  readonly pid: number;
}

/** A whole Sallyport, every process of it real and by itself, on data of its own, which is gone in the end. */
export interface BenchStack extends AsyncDisposable {
  /** The gateways' ports. */
  readonly ports: readonly number[];
  readonly adminPorts: readonly number[];
  readonly mongodbUri: string;
  readonly processes: readonly StackProcess[];
  /** Where the roles log. */
  readonly logFile: string;
}

const KILL_AFTER_MS = 15_000;
/** High enough not to bite, so that they are counted as they always are. */
const RATE = "100000000/second burst 900000000";
const LIMITS: Env = Object.fromEntries(Object.keys(limitVariables).map((name) => [name, RATE]));

/** Starts a stack: the database, then the services, then the gateways. */
export async function startBenchStack(setup: StackSetup): Promise<BenchStack> {
  const owned = new Disposables();
  try {
    return await start(setup, owned);
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

async function start({ shape, entry, env, nodeFlags, warn, stop }: StackSetup, owned: Disposables): Promise<BenchStack> {
  const { path: directory } = owned.use(await openScratchDirectory());
  const logFile = join(directory, "roles.log");
  const log = await open(logFile, "a", 0o600);
  owned.defer(() => log.close());
  await initKeys(join(directory, "keys"));
  const binary = await findMongod(mongodFinders(env, warn), stop);
  const names = namesOf(shape);
  const [mongodPort = 0, ...free] = await lastingPorts(1 + shape.gateways * 2);

  const processes: StackProcess[] = [];
  const files = { dbPath: join(directory, "db"), logFile: join(directory, "mongod.log") };
  const spawned = (pid: number): number => processes.push({ name: "mongod", kind: "mongod", pid });
  owned.use(await startMongod({ binary, files, port: mongodPort, warn, spawned }, stop));

  const socket = (name: string): string => `unix:${join(directory, name)}.sock`;
  const targets = (role: Role): string => names[role].map(socket).join(",");
  const common: Env = {
    PATH: env["PATH"],
    HOME: env["HOME"],
    MONGODB_URI: mongodUri(mongodPort),
    SALLYPORT_DATA_DIR: directory,
    SALLYPORT_LOG_LEVEL: "warn",
    ACCOUNT_TARGETS: targets("account"),
    CHAT_TARGETS: targets("chat"),
    ACCOUNT_DEV_LOGIN: "on",
    GATEWAY_DRAIN_MS: "0",
    [PARENT_VARIABLE]: "pipe",
    ...LIMITS,
  };
  const startOne = async (role: Role, name: string, own: Env): Promise<void> => {
    const command = [process.execPath, ...nodeFlags.map((flag) => flag.replaceAll("%", name)), entry, role] as const;
    const known = async (pid: number): Promise<void> => void processes.push({ name, kind: role, pid });
    const part = startRole(
      { role, command, env: { ...common, ...own }, killAfterMs: KILL_AFTER_MS, spawned: known, warn, log: log.fd },
      stop,
    );
    owned.use(
      await part.catch(async (error: unknown) => {
        warn(await readFile(logFile, "utf8"));
        throw error;
      }),
    );
  };
  const services = (["account", "chat"] as const).flatMap((role) =>
    names[role].map((name) => startOne(role, name, { [`${role.toUpperCase()}_LISTEN`]: socket(name) })),
  );
  await settleAll(services);
  const ports = free.slice(0, shape.gateways);
  const adminPorts = free.slice(shape.gateways);
  await settleAll(
    names.gateway.map((name, index) =>
      startOne("gateway", name, { GATEWAY_PORT: `${ports[index]}`, GATEWAY_ADMIN_PORT: `${adminPorts[index]}` }),
    ),
  );
  await Promise.all(adminPorts.map((port) => isReady(port, stop)));
  return {
    ports,
    adminPorts,
    mongodbUri: mongodUri(mongodPort),
    processes,
    logFile,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

function namesOf({ gateways, chats, accounts }: StackShape): Readonly<Record<Role, readonly string[]>> {
  const named = (role: Role, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => (count === 1 ? role : `${role}-${index + 1}`));
  return { gateway: named("gateway", gateways), chat: named("chat", chats), account: named("account", accounts) };
}

async function isReady(adminPort: number, stop: AbortSignal): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`, { signal: stop });
    await answer.arrayBuffer();
    if (answer.ok) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
