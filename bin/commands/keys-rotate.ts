import type { Run } from "../command.ts";
import { launcherConfig } from "../launcher/config.ts";

/** Makes a new active key of each kind, and prints their ids; processes that run take them up within seconds of use. */
export const keysRotate: Run = async ({ env, print }) => {
  const { rotateKeys } = await import("../../platform/keys.ts");
  const { keysDirectory } = launcherConfig(env);

  for (const line of await rotateKeys(keysDirectory)) {
    print(line);
  }
  return 0;
};
