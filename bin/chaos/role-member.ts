import { type FileHandle, open } from "node:fs/promises";
import type { Env } from "../../platform/env.ts";
import type { Disposables } from "../../platform/lifecycle.ts";
import { Channel } from "../../platform/rpc/channel.ts";
import type { Role } from "../launcher/role.ts";
import { startRole } from "../launcher/start-role.ts";
import type { Part } from "../process/part.ts";
import { keepProcess } from "./kept-process.ts";
import type { Member } from "./member.ts";
import type { Place } from "./place.ts";

/** Longer than the short drain of a layout. */
const KILL_AFTER_MS = 10_000;
const ANSWER_MS = 1_000;

/** A gateway or a copy of a service, and what it is started with. */
export interface RoleMemberSetup {
  readonly place: Place;
  readonly role: Role;
  readonly command: readonly [file: string, ...args: string[]];
  readonly env: Env;
  readonly warn: (line: string) => void;
}

/** Starts a gateway or a copy of a service, and keeps it running until `owner` is disposed of. */
export async function startRoleMember({ place, ...setup }: RoleMemberSetup, owner: Disposables, stop: AbortSignal): Promise<Member> {
  const log = await open(place.logFile, "a", 0o600);
  owner.defer(() => log.close());
  const start = (spawned: (pid: number) => void, given: AbortSignal): Promise<Part> => startOnce(setup, log, spawned, given);
  const kept = owner.use(await keepProcess(place.name, start, stop));
  const answers = setup.role === "gateway" ? () => isAlive(place.adminPort) : serviceCheck(place.port, owner);
  return { ...place, pid: kept.pid, isReady: async () => kept.isUp() && (await answers()) };
}

function startOnce(
  setup: Omit<RoleMemberSetup, "place">,
  log: FileHandle,
  spawned: (pid: number) => void,
  stop: AbortSignal,
): Promise<Part> {
  return startRole({ ...setup, killAfterMs: KILL_AFTER_MS, spawned: async (pid) => spawned(pid), log: log.fd }, stop);
}

async function isAlive(adminPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${adminPort}/livez`, { signal: AbortSignal.timeout(ANSWER_MS) })).ok;
  } catch {
    return false;
  }
}

/** Asks a service itself, behind its proxy, whether it serves. */
function serviceCheck(port: number, owner: Disposables): () => Promise<boolean> {
  const channel = new Channel(`127.0.0.1:${port}`);
  owner.defer(() => channel[Symbol.dispose]());
  return () => channel.isServing("", Date.now() + ANSWER_MS).catch(() => false);
}
