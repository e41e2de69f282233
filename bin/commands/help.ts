import type { Run } from "../command.ts";
import { usage } from "../command-line.ts";
import { commandTable } from "../command-table.ts";

/** Prints the usage text. */
export const help: Run = async ({ print }) => {
  print(usage(commandTable));
  return 0;
};
