import type { Run } from "../command.ts";
import { runRole } from "../run-role.ts";

/** Runs one account process until it is told to stop. */
export const account: Run = async (context) => {
  const { accountConfig } = await import("../../services/account/config.ts");
  const { startAccount } = await import("../../services/account/server.ts");

  const config = accountConfig(context.env);
  return runRole("account", (logger, metrics) => startAccount(config, logger, metrics), context);
};
