import type { Run } from "../command.ts";
import { launcherConfig } from "../launcher/config.ts";

/** Takes the next step of a rotation of the keys, and says what was done to each. */
export const keysRotate: Run = async ({ env, print }) => {
  const { rotateKeys } = await import("../../platform/keys.ts");
  const { keysDirectory } = launcherConfig(env);

  for (const line of await rotateKeys(keysDirectory)) {
    print(line);
  }
  return 0;
};
