import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { pidToSignal } from "../support/pid-to-signal.ts";

const ENTRY = resolve(import.meta.dirname, "../../dist/bin/sallyport.js");

/** Less than a test's own limit, so that one that waits in vain still ends what it started. */
const PATIENCE_MS = 15_000;

/** The launcher as a user runs it: a process in a group of its own, whose lines and end can be waited for. */
export class LauncherProcess implements AsyncDisposable {
  readonly process: ChildProcess;
  /** All lines so far, of both standard output and standard error. */
  readonly lines: string[] = [];
  /** The exit code or signal. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Resolves when nothing holds its standard error any more: it and all roles that it started have ended. */
  readonly closed: Promise<unknown>;
  #isClosed = false;
  readonly #checks = new Set<() => void>();

  /** Runs `sallyport start` on a data directory, on ports that are free. */
  static start(dataDirectory: string, env: Readonly<Record<string, string>> = {}, flags: readonly string[] = []): LauncherProcess {
    const ports = { GATEWAY_PORT: "0", GATEWAY_ADMIN_PORT: "0" };
    const { PATH = "", HOME = "" } = process.env;
    return new LauncherProcess(["start", ...flags], {
      PATH,
      HOME,
      SALLYPORT_DATA_DIR: dataDirectory,
      ...ports,
      GATEWAY_DRAIN_MS: "0",
      ...env,
    });
  }

  private constructor(words: readonly string[], env: Readonly<Record<string, string>>) {
    const input = env["SALLYPORT_PARENT"] === "pipe" ? "pipe" : "ignore";
    this.process = spawn(process.execPath, [ENTRY, ...words], { env, stdio: [input, "pipe", "pipe"], detached: true });
    this.exited = once(this.process, "exit").then(([code, signal]) => code ?? signal);
    this.closed = once(this.process, "close").then(() => {
      this.#isClosed = true;
      this.#check();
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      createInterface(stream as Readable).on("line", (line) => {
        this.lines.push(line);
        this.#check();
      });
    }
  }

  /** Waits for the ready line. Rejects when the launcher ends instead. */
  async ready(): Promise<void> {
    await this.line(/^ready http:\/\/127\.0\.0\.1:\d+$/);
  }

  /** Waits for a line, or takes one that was there already. Rejects when everything ends, or much time passes, without it. */
  line(pattern: RegExp): Promise<string> {
    return new Promise((found, missed) => {
      const settle = (act: () => void): void => {
        this.#checks.delete(check);
        clearTimeout(limit);
        act();
      };
      const miss = (): void => settle(() => missed(new Error(`the launcher did not print ${pattern}:\n${this.lines.join("\n")}`)));
      const check = (): void => {
        const line = this.lines.find((each) => pattern.test(each));
        if (line !== undefined) {
          settle(() => found(line));
        } else if (this.#isClosed) {
          miss();
        }
      };
      const limit = setTimeout(miss, PATIENCE_MS);
      this.#checks.add(check);
      check();
    });
  }

  /** Signals the launcher and everything else in its process group, as a terminal does. */
  signalGroup(name: NodeJS.Signals): void {
    process.kill(-pidToSignal(this.process.pid), name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGTERM");
    await this.exited;
  }

  #check(): void {
    for (const check of this.#checks) {
      check();
    }
  }
}

/** The process id of a role that was started on a data directory. */
export async function rolePid(dataDirectory: string, role: string): Promise<number> {
  return JSON.parse(await readFile(join(dataDirectory, "run", `${role}.json`), "utf8")).pid;
}

/** The process id of the database on a data directory; 0 when it ended cleanly. */
export async function databasePid(dataDirectory: string): Promise<number> {
  return Number(await readFile(join(dataDirectory, "mongod", "mongod.lock"), "utf8"));
}

/** The URI of the database on a data directory. */
export async function databaseUri(dataDirectory: string): Promise<string> {
  const port = (await readFile(join(dataDirectory, "mongod-port"), "utf8")).trim();
  return `mongodb://127.0.0.1:${port}/?replicaSet=sallyport`;
}
