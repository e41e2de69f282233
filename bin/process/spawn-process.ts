import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import type { Env } from "../../platform/env.ts";

/** How a process ended: with an exit code, by a signal, or because it could not be started at all. */
export interface Exit {
  readonly code: number | undefined;
  readonly how: string;
}

/** A child of this process. */
export interface SpawnedProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Exit>;
  readonly signal: (name: NodeJS.Signals) => void;
}

/**
 * Starts a program in a process group of its own, so that a Ctrl-C on the terminal reaches the launcher alone, which then stops its children in order.
 */
export function spawnProcess(file: string, args: readonly string[], stdio: StdioOptions, env: Env): SpawnedProcess {
  const child = spawn(file, args, { stdio, env, detached: true });
  const ended = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) =>
      resolve(code === null ? { code: undefined, how: `killed by ${signal}` } : { code, how: `exit code ${code}` }),
    );
    child.on("error", (error) => {
      if (child.pid === undefined) {
        resolve({ code: undefined, how: error.message });
      }
    });
  });
  return {
    child,
    ended,
    signal: (name) => {
      child.kill(name);
    },
  };
}
