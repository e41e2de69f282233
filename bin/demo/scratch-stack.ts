import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Env } from "../../platform/env.ts";
import { Disposables } from "../../platform/lifecycle.ts";
import { mongodUri } from "../mongod/arguments.ts";
import { parsePort } from "../mongod/port.ts";
import { PARENT_VARIABLE } from "../parent.ts";
import { aborted } from "../process/aborted.ts";
import { endProcess } from "../process/end-process.ts";
import { spawnProcess } from "../process/spawn-process.ts";

/** A stack of the demo's own: its data in a temporary directory, on ports that were free. */
export interface ScratchStack extends AsyncDisposable {
  readonly url: string;
  readonly mongodbUri: string;
}

/** Starts `sallyport start` from the given entry file and resolves at its ready line. @throws Error when it ends before, or `stop` aborts */
export async function startScratchStack(entry: string, env: Env, stop: AbortSignal, warn: (line: string) => void): Promise<ScratchStack> {
  const owned = new Disposables();
  try {
    const directory = await mkdtemp(join(tmpdir(), "sallyport-demo-"));
    owned.defer(() => rm(directory, { recursive: true, force: true }));
    const [port, adminPort] = await freePorts();
    const stack = spawnProcess(process.execPath, [...process.execArgv, entry, "start"], ["pipe", "pipe", "inherit"], {
      ...env,
      [PARENT_VARIABLE]: "pipe",
      GATEWAY_PORT: String(port),
      GATEWAY_ADMIN_PORT: String(adminPort),
      GATEWAY_DRAIN_MS: "0",
      SALLYPORT_DATA_DIR: directory,
      SALLYPORT_LOG_LEVEL: env["SALLYPORT_LOG_LEVEL"] || "warn",
    });
    owned.defer(() => endProcess({ name: "the stack", ended: stack.ended, signal: stack.signal }, 20_000, warn));

    const ready = readyUrl(stack.child.stdout);
    const url = await Promise.race([ready, stack.ended.then(({ how }) => new Error(`the stack did not start: ${how}`)), stopped(stop)]);
    if (url instanceof Error) {
      throw url;
    }
    const mongodbUri = env["MONGODB_URI"] || (await embeddedDatabaseUri(directory));
    return { url, mongodbUri, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

async function stopped(stop: AbortSignal): Promise<Error> {
  await aborted(stop);
  return new Error("stopped before the stack was ready");
}

async function readyUrl(output: Readable | null): Promise<string> {
  if (output !== null) {
    for await (const line of createInterface({ input: output })) {
      const url = /^ready (https?:\S+)$/.exec(line)?.[1];
      if (url !== undefined) {
        output.resume();
        return url;
      }
    }
  }
  // It ended: how, its exit tells.
  return new Promise(() => undefined);
}

async function embeddedDatabaseUri(directory: string): Promise<string> {
  const port = parsePort(await readFile(join(directory, "mongod-port"), "utf8"));
  if (port === undefined) {
    throw new Error("the stack has not recorded its database's port");
  }
  return mongodUri(port);
}

async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()] as const;
  await Promise.all(servers.map((server) => once(server.listen(0, "127.0.0.1"), "listening")));
  const [port, adminPort] = servers.map((server) => (server.address() as AddressInfo).port) as [number, number];
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return [port, adminPort];
}
