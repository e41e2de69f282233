import type { Env } from "../../platform/env.ts";
import type { Disposables, Running } from "../../platform/lifecycle.ts";
import { identifySelf } from "../process/identity.ts";
import { childEnvironment } from "./child-environment.ts";
import type { LauncherConfig } from "./config.ts";
import { openDataDirectory } from "./data-directory.ts";
import { startDatabase } from "./database.ts";
import { keepRunning } from "./keep-running.ts";
import { takeLock } from "./lock.ts";
import type { Role } from "./role.ts";
import { endRecordedRole, recordRole } from "./role-record.ts";
import { openSocketDirectory } from "./socket-directory.ts";
import { removeStaleSocket } from "./stale-socket.ts";
import { startRole } from "./start-role.ts";

/** A service takes its leave of the gateways within 5 s; the rest is for what it has begun itself, and for a machine that is busy. */
const SERVICE_KILL_AFTER_MS = 10_000;

/** A gateway ends at most 2 s after its drain; the rest is for a machine that is busy. */
const GATEWAY_KILL_AFTER_DRAIN_MS = 5_000;

/** What a stack is made of. */
export interface StackSetup {
  readonly config: LauncherConfig;
  readonly gatewayDrainMs: number;
  readonly env: Env;
  /** Whether what dies is restarted. */
  readonly supervise: boolean;
  /** The program and its arguments that play a role. */
  readonly command: (role: Role) => readonly [file: string, ...args: string[]];
  /** Makes the keys that are missing in a directory. */
  readonly makeKeys: (directory: string) => Promise<void>;
  readonly print: (line: string) => void;
  readonly warn: (line: string) => void;
}

/** What is up so far, and how to end the bringing up. */
export interface Scope {
  readonly parts: Disposables;
  readonly halted: AbortSignal;
  /** Halts everything, for a reason. */
  readonly fail: (reason: unknown) => void;
}

/** Brings up database, then account and chat, then the gateway, after what an earlier launcher left behind is gone. Resolves to the gateway's address. */
export async function bringUp(setup: StackSetup, scope: Scope): Promise<string> {
  const { config, env, supervise, warn } = setup;
  const directory = await openDataDirectory(config.dataDirectory);
  await takeLock(directory.path, await identifySelf());
  await Promise.all((["gateway", "chat", "account"] as const).map((role) => endRecordedRole(directory.run, role, warn)));
  await setup.makeKeys(config.keysDirectory);

  const databaseUri = config.mongodbUri ?? own(await startDatabase({ directory, env, supervise, warn }, scope.halted), scope).address;
  const socketDirectory = await openSocketDirectory(directory.run, scope.parts);
  const children = childEnvironment(env, config, { databaseUri, socketDirectory });

  const start = async (role: Role, killAfterMs: number): Promise<Running> => {
    const startOnce = async (stop: AbortSignal) => {
      await removeStaleSocket(children[`${role.toUpperCase()}_LISTEN`]);
      const spawned = (pid: number): Promise<void> => recordRole(directory.run, role, pid);
      return startRole({ role, command: setup.command(role), env: children, killAfterMs, spawned, warn }, stop);
    };
    return own(await keepRunning({ name: role, start: startOnce, supervise, warn }, scope.halted), scope);
  };
  await allOrFail([start("account", SERVICE_KILL_AFTER_MS), start("chat", SERVICE_KILL_AFTER_MS)], scope);
  const gateway = await start("gateway", setup.gatewayDrainMs + GATEWAY_KILL_AFTER_DRAIN_MS);
  return gateway.address;
}

/** Has a part disposed of with the rest, and the rest halted when it fails. */
function own(running: Running, { parts, fail }: Scope): Running {
  running.failed?.catch(fail);
  return parts.use(running);
}

/** Waits for all, even when one fails: what another one has started meanwhile must be known to be ended. */
async function allOrFail(starts: readonly Promise<unknown>[], { fail }: Scope): Promise<void> {
  const outcomes = await Promise.allSettled(
    starts.map((start) =>
      start.catch((error: unknown) => {
        fail(error);
        throw error;
      }),
    ),
  );
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) {
    throw failure.reason;
  }
}
