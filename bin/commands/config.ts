import type { Run } from "../command.ts";

/** Prints every variable with its default and meaning, after a check of the values in force. */
export const config: Run = async ({ env, flags, print }) => {
  const { stackConfig, variableTables } = await import("../configuration.ts");
  const { renderEnvExample, renderReference } = await import("../reference.ts");

  if (flags.has("--env")) {
    print(renderEnvExample(variableTables).trimEnd());
    return 0;
  }
  print(renderReference(variableTables));
  stackConfig(env);
  return 0;
};
