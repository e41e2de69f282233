import type { Run } from "../command.ts";
import { launcherConfig } from "../launcher/config.ts";

/** Makes the keys that are missing from the keys directory. */
export const keysInit: Run = async ({ env, print }) => {
  const { initKeys } = await import("../../platform/keys/rotation.ts");
  const { keysDirectory } = launcherConfig(env);

  await initKeys(keysDirectory);
  print(`keys are in ${keysDirectory}`);
  return 0;
};
