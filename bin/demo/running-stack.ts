import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Env } from "../../platform/env.ts";
import { launcherConfig } from "../launcher/config.ts";
import { mongodUri } from "../mongod/arguments.ts";
import { isListening, parsePort } from "../mongod/port.ts";

/** The stack that runs with this environment, and its database where it can be known; undefined when no gateway is ready there. */
export async function findRunningStack(env: Env): Promise<{ url: string; mongodbUri: string | undefined } | undefined> {
  const { gatewayConfig } = await import("../../gateway/config.ts");
  const { host, port, tls, adminHost, adminPort } = gatewayConfig(env);
  const isReady = await fetch(`http://${adminHost}:${adminPort}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
  if (!isReady) {
    return undefined;
  }
  const { dataDirectory, mongodbUri } = launcherConfig(env);
  const embeddedPort = parsePort(await readFile(join(dataDirectory, "mongod-port"), "utf8").catch(() => ""));
  // The file outlives its database, and the stack may run on another one.
  const isEmbedded = embeddedPort !== undefined && (await isListening(embeddedPort));
  return {
    url: `${tls === undefined ? "http" : "https"}://${host}:${port}`,
    mongodbUri: mongodbUri ?? (isEmbedded ? mongodUri(embeddedPort) : undefined),
  };
}
