import { readFile, writeFile } from "node:fs/promises";
import type { Run } from "../command.ts";
import { stopSignal } from "../signals.ts";

/** Measures the paths of the system, each beside the least that it could cost. Exit code 0: every promise was kept meanwhile, and nothing is worse than in the outcome that it is compared with. */
export const bench: Run = async ({ env, entry, flags, print, warn }) => {
  const stop = stopSignal();
  const { planOf } = await import("../bench/plan.ts");
  const { runBench } = await import("../bench/run-bench.ts");
  const { changesOf, linesOf, summarize } = await import("../bench/report.ts");
  type Summary = ReturnType<typeof summarize>;

  const plan = planOf(flags);
  const earlier = plan.compare === undefined ? [] : (JSON.parse(await readFile(plan.compare, "utf8")) as readonly Summary[]);
  const summaries: Summary[] = [];
  await runBench(
    plan,
    {
      env,
      entry,
      warn,
      done: (run) => {
        const summary = summarize(run);
        summaries.push(summary);
        linesOf(run, summary).forEach(print);
      },
    },
    stop,
  );
  if (plan.json !== undefined) {
    await writeFile(plan.json, `${JSON.stringify(summaries, undefined, 2)}\n`);
  }
  const changes = changesOf(earlier, summaries);
  for (const { line } of changes) {
    print(line);
  }
  return summaries.every(({ wrong }) => wrong.length === 0) && !changes.some(({ isWorse }) => isWorse) ? 0 : 1;
};
