import type { Env } from "../platform/env.ts";

/** What a command is given by the process that it runs in. */
export interface Surroundings {
  readonly env: Env;
  /** The file that starts this program: what another role is started from. */
  readonly entry: string;
  /** Writes a line to standard output. */
  readonly print: (line: string) => void;
  /** Writes a line to standard error. */
  readonly warn: (line: string) => void;
}

/** What a command runs with: its surroundings, which of its flags were given, and the usage text of the program. */
export interface Context extends Surroundings {
  readonly usage: string;
  readonly flags: ReadonlySet<string>;
}

/** A command; resolves to the exit code of the process. */
export type Run = (context: Context) => Promise<number>;

/** A line of the command table. Its code is loaded only when it runs. */
export interface Command {
  readonly name: string;
  readonly flags: readonly string[];
  readonly summary: string;
  readonly load: () => Promise<Run>;
}

/** The command line is not one of ours; the message says what is wrong with it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
