import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Env } from "../../platform/env.ts";
import { launcherConfig } from "../launcher/config.ts";
import { mongodUri } from "../mongod/arguments.ts";
import { parsePort } from "../mongod/port.ts";

/** The stack that runs with this environment, and its database where it can be known; undefined when no gateway is ready there. */
export async function findRunningStack(env: Env): Promise<{ url: string; mongodbUri: string | undefined } | undefined> {
  const { gatewayConfig } = await import("../../gateway/config.ts");
  const { host, port, adminHost, adminPort } = gatewayConfig(env);
  const isReady = await fetch(`http://${adminHost}:${adminPort}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
  if (!isReady) {
    return undefined;
  }
  const { dataDirectory, mongodbUri } = launcherConfig(env);
  const embeddedPort = parsePort(await readFile(join(dataDirectory, "mongod-port"), "utf8").catch(() => ""));
  return { url: `http://${host}:${port}`, mongodbUri: mongodbUri ?? (embeddedPort === undefined ? undefined : mongodUri(embeddedPort)) };
}
