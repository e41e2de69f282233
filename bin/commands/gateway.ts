import type { Run } from "../command.ts";
import { runRole } from "../run-role.ts";

/** Runs one gateway process until it is told to stop. */
export const gateway: Run = async (context) => {
  const { gatewayConfig } = await import("../../gateway/config.ts");
  const { startGateway } = await import("../../gateway/server.ts");

  const config = gatewayConfig(context.env);
  return runRole("gateway", (logger) => startGateway(config, logger), context);
};
