import { isLoopbackHost, list } from "./env.ts";

const HOST = String.raw`(?:\[[0-9a-f:.]+\]|[^:/?#@,[\]]+)(?::\d{1,5})?`;
const MONGODB_URI = new RegExp(String.raw`^mongodb(?:\+srv)?://(?:[^/@]+@)?${HOST}(?:,${HOST})*(?:/[^/\\. "$?]{0,40})?(?:\?.*)?$`, "i");

/** The connection string of a database: hosts, and the name of the database (up to 40 characters) where it has one. */
export function mongodbUri(value: string): string {
  if (!MONGODB_URI.test(value)) {
    throw new Error("expected mongodb://host:port/name or mongodb+srv://host/name");
  }
  return value;
}

/** Where a gRPC server of this machine listens: a loopback `host:port` (port 0: any that is free), or `unix:<path>`. */
export function listenAddress(value: string): string {
  if (/^unix:./.test(value)) {
    return value;
  }
  const { host, port } = split(value);
  if (host === "" || port > 65_535) {
    throw new Error("expected host:port or unix:<path>");
  }
  if (!isLoopbackHost(host)) {
    throw new Error("expected a loopback host: processes on other machines need mutual TLS, which there is none of");
  }
  return value;
}

/** Where gRPC servers of this machine are: a comma list of loopback `host:port`, with or without `dns:///`, or `unix:<path>`. */
export function targetList(value: string): readonly string[] {
  const targets = list(value);
  if (targets.length === 0 || !targets.every(isTarget)) {
    throw new Error("expected a comma list of host:port on the loopback interface, or unix:<path>");
  }
  return targets;
}

function isTarget(value: string): boolean {
  const { host, port } = split(value.replace(/^dns:\/\/\//, ""));
  return /^unix:./.test(value) || (isLoopbackHost(host) && port > 0 && port <= 65_535);
}

function split(value: string): { host: string; port: number } {
  const [, host = "", port = "0"] = /^(\[[0-9a-f:.]+\]|[^:/]+):(\d{1,5})$/i.exec(value) ?? [];
  return { host, port: Number(port) };
}
