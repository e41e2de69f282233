import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { freshDatabaseUri } from "./mongod.ts";
import { requireNoSecret } from "./run-secrets.ts";

/** A stack of real processes, and where each part of it can be reached. */
export interface Stack extends AsyncDisposable {
  readonly httpUrl: string;
  readonly adminUrl: string;
  readonly accountTarget: string;
  readonly chatTarget: string;
  readonly mongodbUri: string;
  readonly dataDirectory: string;
  readonly launcher: ChildProcess;
  /** What the processes have written to standard error so far. */
  readonly log: () => string;
  /** The id of the process that has a role now. */
  readonly pidOf: (role: Role) => Promise<number>;
  /** Resolves when every part answers (`/readyz`). */
  readonly ready: () => Promise<void>;
  /** What operators show. */
  readonly operatorToken: () => Promise<string>;
}

/** The processes of a stack besides its launcher. */
export type Role = "account" | "chat" | "gateway" | "mongod";

/** How a stack differs from the default one. */
export interface StackOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly supervise?: boolean;
  /** A database process of its own under the data directory, instead of a database on the run's server. */
  readonly embeddedDatabase?: boolean;
  /** A stack whose launcher is gone: the new one starts in its place, on its data, ports and database. */
  readonly inPlaceOf?: Stack;
  /** Another program than the compiled one. */
  readonly entry?: string;
}

const ENTRY = resolve(import.meta.dirname, "../../dist/bin/sallyport.js");
const shared = new Map<string, Promise<Stack>>();

/** The stack that tests share which leave it as they found it; started when it is first asked for. Tests with the same `env` share one. */
export function sharedStack(env: Readonly<Record<string, string>> = {}): Promise<Stack> {
  const key = JSON.stringify(env);
  const stack = shared.get(key) ?? startStack({ env });
  shared.set(key, stack);
  return stack;
}

/** Stops what `sharedStack` started. */
export async function stopSharedStacks(): Promise<void> {
  const stacks = [...shared.values()];
  shared.clear();
  await Promise.all(stacks.map(async (stack) => (await stack)[Symbol.asyncDispose]()));
}

/** Starts the launcher, on a data directory and on ports of its own, without rate limits, and resolves at its ready line. */
export async function startStack({
  env = {},
  supervise = false,
  embeddedDatabase = false,
  inPlaceOf,
  entry = ENTRY,
}: StackOptions = {}): Promise<Stack> {
  const place = inPlaceOf ?? (await newPlace(embeddedDatabase));
  const launcher = spawn(process.execPath, [entry, "start", ...(supervise ? ["--supervise"] : [])], {
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      XDG_CACHE_HOME: process.env["XDG_CACHE_HOME"],
      GATEWAY_PORT: new URL(place.httpUrl).port,
      GATEWAY_ADMIN_PORT: new URL(place.adminUrl).port,
      ACCOUNT_LISTEN: place.accountTarget,
      CHAT_LISTEN: place.chatTarget,
      SALLYPORT_DATA_DIR: place.dataDirectory,
      MONGODB_URI: embeddedDatabase ? "" : place.mongodbUri,
      GATEWAY_DRAIN_MS: "0",
      SALLYPORT_LIMITS: "off",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  launcher.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const ended = once(launcher, "exit");
  const httpUrl = await Promise.race([
    readyLine(launcher),
    ended.then(() => Promise.reject(new Error(`the stack did not start:\n${log}`))),
  ]);
  return {
    ...place,
    httpUrl,
    mongodbUri: embeddedDatabase ? await embeddedUri(place.dataDirectory) : place.mongodbUri,
    launcher,
    log: () => log,
    ready: () => becomeReady(place.adminUrl),
    operatorToken: () => readFile(join(place.dataDirectory, "operator-token"), "utf8"),
    pidOf: (role) => findChild(launcher.pid ?? 0, role),
    [Symbol.asyncDispose]: async () => {
      launcher.kill("SIGTERM");
      await ended;
      await rm(place.dataDirectory, { recursive: true, force: true });
      requireNoSecret(httpUrl, log);
    },
  };
}

async function becomeReady(adminUrl: string): Promise<void> {
  const isReady = (): Promise<boolean> =>
    fetch(`${adminUrl}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    await new Promise((next) => setImmediate(next));
  }
}

type Place = Pick<Stack, "httpUrl" | "adminUrl" | "accountTarget" | "chatTarget" | "mongodbUri" | "dataDirectory">;

async function newPlace(embeddedDatabase: boolean): Promise<Place> {
  const dataDirectory = await mkdtemp(join(tmpdir(), "sallyport-"));
  const [port, adminPort] = await freePorts(2);
  return {
    httpUrl: `http://127.0.0.1:${port}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    accountTarget: `unix:${join(dataDirectory, "account.sock")}`,
    chatTarget: `unix:${join(dataDirectory, "chat.sock")}`,
    mongodbUri: embeddedDatabase ? "" : freshDatabaseUri(),
    dataDirectory,
  };
}

async function readyLine(launcher: ChildProcess): Promise<string> {
  if (launcher.stdout === null) {
    throw new Error("the launcher has no standard output");
  }
  for await (const line of createInterface({ input: launcher.stdout })) {
    const ready = /^ready (https?:\S+)$/.exec(line);
    if (ready?.[1] !== undefined) {
      launcher.stdout.resume();
      return ready[1];
    }
  }
  return new Promise(() => undefined);
}

async function embeddedUri(dataDirectory: string): Promise<string> {
  const port = (await readFile(join(dataDirectory, "mongod-port"), "utf8")).trim();
  return `mongodb://127.0.0.1:${port}/sallyport?replicaSet=sallyport`;
}

/** The child of the launcher whose command line names the role. Linux: asks /proc. */
async function findChild(launcherPid: number, role: Role): Promise<number> {
  const children = await readFile(`/proc/${launcherPid}/task/${launcherPid}/children`, "utf8");
  for (const pid of children.trim().split(" ")) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    const found = role === "mongod" ? words[0]?.endsWith("mongod") : words.includes(role);
    if (found) {
      return Number(pid);
    }
  }
  throw new Error(`no process has the role ${role}`);
}

/** Ports of 127.0.0.1 that nobody listens on at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
