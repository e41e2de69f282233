import { setTimeout as sleep } from "node:timers/promises";
import type { KeyName } from "../../platform/keys/kind.ts";
import { type Run, UsageError } from "../command.ts";
import { launcherConfig } from "../launcher/config.ts";

/** Makes a new key of each kind, has every copy read it, and makes it the active one; or one of these steps. Prints the ids. */
export const keysRotate: Run = async ({ env, flags, print }) => {
  const { activateKeys, publishKeys, rotateKeys } = await import("../../platform/keys/rotation.ts");
  const { rotationOf, waitIn } = await import("../key-flags.ts");
  const [publish, activate] = [flags.has("--publish"), flags.has("--activate")];
  if (publish && activate) {
    throw new UsageError("keys rotate takes --publish or --activate; without either it does both");
  }
  const { keysDirectory } = launcherConfig(env);
  const [rotation, waitMs] = [rotationOf(flags, env), waitIn(flags)];
  const show = (state: string, keys: readonly KeyName[]): void => {
    for (const { kind, kid } of keys) {
      print(`${kind} ${kid} ${state}`);
    }
  };

  if (publish) {
    show("published", await publishKeys(keysDirectory, rotation));
  } else if (activate) {
    show("active", await activateKeys(keysDirectory, rotation));
  } else {
    const wait = (published: readonly KeyName[]): Promise<void> => {
      show("published", published);
      return sleep(waitMs);
    };
    show("active", await rotateKeys(keysDirectory, rotation, wait));
  }
  return 0;
};
