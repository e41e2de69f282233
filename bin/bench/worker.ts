import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Report, Task, TaskResult } from "./task.ts";

/** What is done at the edges of a task's measured time. */
export interface TaskEdges {
  readonly began: () => void;
  readonly ended: () => void;
}

/** The load generator, a process of its own: one task at a time. */
export class LoadWorker implements Disposable {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(join(import.meta.dirname, "load/main.js"), [], { execArgv: ["--max-semi-space-size=64"] });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Does a task. @throws Error when it fails, or the process ends */
  run(task: Task, edges?: TaskEdges): Promise<TaskResult> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#child.off("message", hear);
        this.#child.off("exit", ended);
        act();
      };
      const ended = (): void => settle(() => reject(new Error(`the load generator ended at ${task.kind}`)));
      const hear = (report: Report): void => {
        switch (report.kind) {
          case "began":
            edges?.began();
            break;
          case "ended":
            edges?.ended();
            break;
          case "done":
            settle(() => resolve(report.result));
            break;
          case "failed":
            settle(() => reject(new Error(`the load failed at ${task.kind}: ${report.message}`)));
            break;
        }
      };
      this.#child.on("message", hear);
      this.#child.on("exit", ended);
      this.#child.send(task);
    });
  }

  [Symbol.dispose](): void {
    if (this.#child.connected) {
      this.#child.disconnect();
    }
  }
}

/** The bare server of the floor. */
export class EchoServer implements Disposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(): Promise<EchoServer> {
    const child = fork(join(import.meta.dirname, "floor/echo-server.js"));
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    return new EchoServer(child, port);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  [Symbol.dispose](): void {
    this.#child.disconnect();
  }
}
