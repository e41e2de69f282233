import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { detailsOf, durationOf, wordsOf } from "./fault.ts";
import type { Inject } from "./injection.ts";

const run = promisify(execFile);

/** A program may restart a machine. */
const DONE_WITHIN_MS = 120_000;

/**
 * Has an operator's program do each fault: it is called with the words `kill chat 1`, `pause gateway 0 12000`, `delay account 1 5000 200`, `half primary 3000 up`, and at the end
 * of one that lasts with `resume`, and the same target and fault: `resume gateway 0 pause`. One that it refuses by its exit code is skipped; one that it is not done with in time too, but
 * it may have begun, so that it is ended.
 */
export function injectByProgram(program: string, doneWithinMs: number = DONE_WITHIN_MS): Inject {
  const call = (...words: readonly string[]): Promise<unknown> => run(program, words, { timeout: doneWithinMs });
  return async ({ fault, target }) => {
    const words = wordsOf(target);
    const heal = async (): Promise<void> => {
      if (durationOf(fault) > 0) {
        await call("resume", ...words, fault.kind);
      }
    };
    const injection = { victim: words.join(" "), heal, isOver: async () => true };
    try {
      await call(fault.kind, ...words, ...detailsOf(fault));
    } catch (error) {
      return isCutShort(error)
        ? { skipped: `the program was not done within ${doneWithinMs} ms`, halfDone: injection }
        : { skipped: refusalOf(error) };
    }
    return injection;
  };
}

/** The program was ended from outside, by the time limit or somebody else: it did not refuse. */
function isCutShort(error: unknown): boolean {
  return typeof (error as { readonly signal?: unknown }).signal === "string";
}

function refusalOf(error: unknown): string {
  const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: string };
  const [firstLine] = (stderr ?? "").split("\n");
  return `the program refused it (${firstLine || `exit code ${String(code)}`})`;
}
