import { setTimeout as sleep } from "node:timers/promises";
import type { RunningGateway } from "../../gateway/server.ts";
import type { Run } from "../command.ts";
import { runRole } from "../run-role.ts";

/** How long a gateway that serves already waits for the services behind it before it says that it is ready. */
const SERVICES_WITHIN_MS = 5_000;

/** Runs one gateway process until it is told to stop. */
export const gateway: Run = async (context) => {
  const { gatewayConfig } = await import("../../gateway/config.ts");
  const { startGateway } = await import("../../gateway/server.ts");

  const config = gatewayConfig(context.env);
  return runRole("gateway", async (logger, metrics) => waitForServices(await startGateway(config, logger, { metrics })), context);
};

async function waitForServices(running: RunningGateway): Promise<RunningGateway> {
  const until = Date.now() + SERVICES_WITHIN_MS;
  while (!(await isReady(running.adminAddress)) && Date.now() < until) {
    await sleep(20);
  }
  return running;
}

async function isReady(adminAddress: string): Promise<boolean> {
  const { ok } = await fetch(`${adminAddress}/readyz`);
  return ok;
}
