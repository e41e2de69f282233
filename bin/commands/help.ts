import type { Run } from "../command.ts";

/** Prints the usage text. */
export const help: Run = async ({ print, usage }) => {
  print(usage);
  return 0;
};
