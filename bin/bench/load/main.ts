import type { Report, Task, TaskResult } from "../task.ts";
import { calls } from "./calls.ts";
import { chat } from "./chat.ts";
import { database, find } from "./database.ts";
import { drain } from "./drain.ts";
import { echo } from "./echo.ts";
import { exchange } from "./exchange.ts";
import { hold, release } from "./hold.ts";
import type { WindowEdges } from "./window.ts";

/** The load generator: a process that does one task after the other, as its parent asks, and says what came of it. */
const edges: WindowEdges = { began: () => say({ kind: "began" }), ended: () => say({ kind: "ended" }) };

process.on("message", (task: Task) => {
  void run(task).then(
    (result) => say({ kind: "done", result }),
    (error: unknown) => say({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));

function run(task: Task): Promise<TaskResult> {
  switch (task.kind) {
    case "echo":
      return echo(task, edges);
    case "calls":
      return calls(task, edges);
    case "chat":
      return chat(task, edges);
    case "exchange":
      return exchange(task, edges);
    case "drain":
      return drain(task, edges);
    case "hold":
      return hold(task);
    case "release":
      return release();
    case "database":
      return database(task, edges);
    case "find":
      return find(task, edges);
  }
}

function say(report: Report): void {
  process.send?.(report);
}
