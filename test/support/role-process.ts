import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { Role } from "./stack.ts";

/** One process of Sallyport by itself. */
export interface RoleProcess extends AsyncDisposable {
  /** Where its ready line says that it is. */
  readonly address: string;
  readonly child: ChildProcess;
  /** Resolves to the exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** How a process that did not start ended. */
export interface FailedStart {
  readonly code: unknown;
  /** All that it wrote to standard error. */
  readonly message: string;
}

const ENTRY = resolve(import.meta.dirname, "../../dist/bin/sallyport.js");

/** Starts a role and resolves at its ready line. Rejects, with what it wrote, when it ends before. */
export async function startRoleProcess(role: Exclude<Role, "mongod">, env: Readonly<Record<string, string>>): Promise<RoleProcess> {
  const { child, ended, stderr } = run(role, env);
  const ready = once(createInterface({ input: child.stdout }), "line");
  const line = await Promise.race([ready.then(([first]) => String(first)), ended]);
  if (typeof line !== "string") {
    throw new Error(`${role} did not start:\n${await stderr}`);
  }
  return {
    address: line.replace(`ready ${role} `, ""),
    child,
    ended: ended.then(([code]) => code as number | null),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Runs a role, or `start`, that is expected to be refused. */
export async function failToStart(role: Exclude<Role, "mongod"> | "start", env: Readonly<Record<string, string>>): Promise<FailedStart> {
  const { child, ended, stderr } = run(role, env);
  const [code] = await Promise.race([ended, once(createInterface({ input: child.stdout }), "line")]);
  child.kill("SIGTERM");
  return { code, message: await stderr };
}

function run(
  command: string,
  env: Readonly<Record<string, string>>,
): { child: ChildProcess & { stdout: NonNullable<ChildProcess["stdout"]> }; ended: Promise<unknown[]>; stderr: Promise<string> } {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [ENTRY, command], { env: { PATH, HOME, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  return { child, ended: once(child, "exit"), stderr: text(child.stderr) };
}
