import type { Run } from "../command.ts";
import { stopSignal } from "../signals.ts";

/** Runs the whole stack on this machine until it is told to stop. */
export const start: Run = async ({ entry, env, flags, print, warn }) => {
  const stop = stopSignal();
  const { stackConfig } = await import("../configuration.ts");
  const { checkInternalTls } = await import("../../platform/rpc/tls.ts");
  const { runStack } = await import("../launcher/stack.ts");
  const { initKeys } = await import("../../platform/keys/rotation.ts");

  const { launcher, gateway } = stackConfig(env);
  if (gateway.internalTls !== undefined) {
    await checkInternalTls(gateway.internalTls);
  }
  const setup = {
    config: launcher,
    gatewayDrainMs: gateway.drainMs,
    env,
    supervise: flags.has("--supervise"),
    command: (role: string) => [process.execPath, ...process.execArgv, entry, role] as const,
    makeKeys: initKeys,
    print,
    warn,
  };
  return runStack(setup, stop);
};
