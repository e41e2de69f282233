import { ConfigError } from "../platform/env.ts";
import { type Command, type Surroundings, UsageError } from "./command.ts";
import { parseCommandLine, usage } from "./command-line.ts";
import { commandTable } from "./command-table.ts";

/** Runs a command line. Resolves to the exit code: 2 for a wrong command line or configuration, 1 for any other failure. */
export async function runCommand(
  words: readonly string[],
  surroundings: Surroundings,
  table: readonly Command[] = commandTable,
): Promise<number> {
  try {
    const { command, flags } = parseCommandLine(words, table);
    const run = await command.load();
    return await run({ ...surroundings, flags, usage: usage(table) });
  } catch (error) {
    if (error instanceof UsageError) {
      surroundings.warn(`sallyport: ${error.message}\n\n${usage(table)}`);
      return 2;
    }
    surroundings.warn(`sallyport: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof ConfigError ? 2 : 1;
  }
}
