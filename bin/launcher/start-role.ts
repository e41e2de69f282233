import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Env } from "../../platform/env.ts";
import { aborted } from "../process/aborted.ts";
import { endProcess } from "../process/end-process.ts";
import type { Part } from "../process/part.ts";
import { type SpawnedProcess, spawnProcess } from "../process/spawn-process.ts";
import type { Role } from "./role.ts";

const READY_WITHIN_MS = 60_000;

/** How a role is started and ended. */
export interface RoleSetup {
  readonly role: Role;
  /** The program and its arguments. */
  readonly command: readonly [file: string, ...args: string[]];
  readonly env: Env;
  /** Longer than the role may take to stop in order. */
  readonly killAfterMs: number;
  /** Told the process id as soon as there is one. */
  readonly spawned: (pid: number) => Promise<void>;
  readonly warn: (line: string) => void;
  /** A file descriptor for what it logs; left out: this process's own standard error. */
  readonly log?: number;
}

/** Starts a role as a process that ends with this one, and resolves when it says that it is ready. Rejects when it ends before, or the start is given up. */
export async function startRole(setup: RoleSetup, stop: AbortSignal): Promise<Part> {
  const { role, command, env, killAfterMs, warn, log = "inherit" } = setup;
  const [file, ...args] = command;
  const process = spawnProcess(file, args, ["pipe", "pipe", log], env);

  const end = (): Promise<void> => endProcess({ ...process, name: role }, killAfterMs, warn);
  try {
    const address = await ready(process, setup, stop);
    return { address, ended: process.ended, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function ready({ child, ended }: SpawnedProcess, { role, spawned }: RoleSetup, stop: AbortSignal): Promise<string> {
  if (child.pid === undefined || child.stdout === null) {
    throw new Error(`${role} did not start (${(await ended).how})`);
  }
  await spawned(child.pid);

  const over = new AbortController();
  const late = sleep(READY_WITHIN_MS, `it was not ready within ${READY_WITHIN_MS} ms`, { signal: over.signal });
  const failure = Promise.race([ended.then(({ how }) => how), late, aborted(stop).then(() => "the stack stops")]);
  try {
    return await Promise.race([
      readyAddress(child.stdout, role),
      failure.then((why) => Promise.reject(new Error(`${role} did not start (${why})`))),
    ]);
  } finally {
    over.abort();
  }
}

/** The address in a role's ready line. Undefined for any other line. */
export function parseReadyLine(line: string, role: Role): string | undefined {
  const [word, name, address, ...rest] = line.split(" ");
  return word === "ready" && name === role && rest.length === 0 ? address : undefined;
}

function readyAddress(stdout: Readable, role: Role): Promise<string> {
  return new Promise((resolve) => {
    createInterface(stdout).on("line", (line) => {
      const address = parseReadyLine(line, role);
      if (address !== undefined) {
        resolve(address);
      }
    });
  });
}
