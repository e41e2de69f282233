import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { detailsOf, durationOf, wordsOf } from "./fault.ts";
import type { Inject } from "./injection.ts";

const run = promisify(execFile);

/** A program may restart a machine. */
const DONE_WITHIN_MS = 120_000;

/**
 * Has an operator's program do each fault: it is called with the words `kill chat 1`, `pause gateway 0 12000`, `delay account 1 5000 200`, `half primary 3000 up`, and at the end
 * of one that lasts with `resume`, and the same target and fault: `resume gateway 0 pause`. One that it refuses by its exit code is skipped.
 */
export function injectByProgram(program: string): Inject {
  const call = (...words: readonly string[]): Promise<unknown> => run(program, words, { timeout: DONE_WITHIN_MS });
  return async ({ fault, target }) => {
    const words = wordsOf(target);
    try {
      await call(fault.kind, ...words, ...detailsOf(fault));
    } catch (error) {
      return { skipped: refusalOf(error) };
    }
    const heal = async (): Promise<void> => {
      if (durationOf(fault) > 0) {
        await call("resume", ...words, fault.kind);
      }
    };
    return { victim: words.join(" "), heal, isOver: async () => true };
  };
}

function refusalOf(error: unknown): string {
  const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: string };
  const [firstLine] = (stderr ?? "").split("\n");
  return `the program refused it (${firstLine || `exit code ${String(code)}`})`;
}
