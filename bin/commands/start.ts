import type { Run } from "../command.ts";
import { parentGone } from "../parent.ts";
import { SERVING_FLAGS } from "../process/node-flags.ts";
import { stopSignal } from "../signals.ts";

/** Runs the whole stack on this machine until it is told to stop. */
export const start: Run = async ({ entry, env, flags, print, warn }) => {
  const stop = AbortSignal.any([stopSignal(), parentGone(env)]);
  const { stackConfig } = await import("../configuration.ts");
  const { checkCertificateFiles } = await import("../launcher/certificate-files.ts");
  const { runStack } = await import("../launcher/stack.ts");
  const { initKeys } = await import("../../platform/keys/rotation.ts");

  const { launcher, gateway } = stackConfig(env);
  await checkCertificateFiles(gateway);
  const setup = {
    config: launcher,
    gatewayDrainMs: gateway.drainMs,
    env,
    supervise: flags.has("--supervise"),
    command: (role: string) => [process.execPath, ...SERVING_FLAGS, ...process.execArgv, entry, role] as const,
    makeKeys: initKeys,
    print,
    warn,
  };
  return runStack(setup, stop);
};
