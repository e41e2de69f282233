import { type Command, UsageError } from "./command.ts";

/** A command line that was understood. */
export interface CommandLine {
  readonly command: Command;
  readonly flags: ReadonlySet<string>;
}

const HELP_FLAGS: ReadonlySet<string> = new Set(["--help", "-h"]);

/**
 * Finds the command that the words of a command line name, and its flags.
 * @throws UsageError when there is no such command, or it takes no such argument.
 */
export function parseCommandLine(words: readonly string[], table: readonly Command[]): CommandLine {
  const asked = words.some((word) => HELP_FLAGS.has(word)) ? ["help"] : words;
  const command = table.find(({ name }) => name.split(" ").every((part, index) => asked[index] === part));
  if (command === undefined) {
    throw new UsageError(asked.length === 0 ? "no command given" : `unknown command: ${asked.join(" ")}`);
  }

  const rest = joinValues(asked.slice(command.name.split(" ").length), command.flags);
  const stray = rest.find(
    (word) => !command.flags.some((flag) => (flag.endsWith("=") ? word.startsWith(flag) && word !== flag : word === flag)),
  );
  if (stray !== undefined) {
    throw new UsageError(`${command.name} takes no ${stray}`);
  }
  return { command, flags: new Set(rest) };
}

/** A flag that the table ends with "=" takes a value: "--url x" is "--url=x". */
function joinValues(words: readonly string[], flags: readonly string[]): readonly string[] {
  const [word, value, ...rest] = words;
  if (word === undefined) {
    return [];
  }
  return flags.includes(`${word}=`) && value !== undefined
    ? [`${word}=${value}`, ...joinValues(rest, flags)]
    : [word, ...joinValues(words.slice(1), flags)];
}

/** The summary of a longer call stands below it. */
const LONGEST_BESIDE = 64;

/** The usage text: a line for each command. */
export function usage(table: readonly Command[]): string {
  const lines = table.map(({ name, flags, summary }) => [[name, ...flags.map((flag) => `[${flag}]`)].join(" "), summary] as const);
  const width = Math.max(0, ...lines.map(([call]) => call.length).filter((length) => length <= LONGEST_BESIDE));
  const show = (call: string, summary: string): string =>
    call.length > width ? `  ${call}\n${show("", summary)}` : `  ${call.padEnd(width)}  ${summary}`;
  return ["usage: sallyport <command>", "", ...lines.map(([call, summary]) => show(call, summary))].join("\n");
}
