import { isIP, isIPv6 } from "node:net";
import { isLoopbackHost, list, withoutBrackets } from "./env.ts";

const HOST = String.raw`(?:\[[0-9a-f:.]+\]|[^:/?#@,[\]]+)(?::\d{1,5})?`;
const MONGODB_URI = new RegExp(String.raw`^mongodb(?:\+srv)?://(?:[^/@]+@)?${HOST}(?:,${HOST})*(?:/[^/\\. "$?]{0,40})?(?:\?.*)?$`, "i");

/** The connection string of a database: hosts, and the name of the database (up to 40 characters) where it has one. */
export function mongodbUri(value: string): string {
  if (!MONGODB_URI.test(value)) {
    throw new Error("expected mongodb://host:port/name or mongodb+srv://host/name");
  }
  return value;
}

/** A host to listen on: an IP address, one of IPv6 with or without brackets (they are taken off), or a name. */
export function listenHost(value: string): string {
  const bare = withoutBrackets(value);
  if (!isHost(bare)) {
    throw new Error("expected an IP address or the name of a host");
  }
  return bare;
}

/** The URL of a host and port. */
export function urlOf(scheme: "http" | "https", host: string, port: number): string {
  return `${scheme}://${hostPort(host, port)}`;
}

/** A host with its port, one of IPv6 in brackets. */
export function hostPort(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Where a gRPC server listens: `host:port` (port 0: any that is free), or `unix:<path>`. */
export function listenAddress(value: string): string {
  const { host, port } = split(value);
  if (!isUnixSocket(value) && (host === "" || port > 65_535)) {
    throw new Error("expected host:port or unix:<path>");
  }
  return value;
}

/** Where gRPC servers are: a comma list of `host:port` or `unix:<path>`, or one `dns:///name:port` that stands for all addresses of its name. */
export function targetList(value: string): readonly string[] {
  const targets = list(value);
  const isMixed = targets.length > 1 && targets.some((target) => target.startsWith(RESOLVED));
  if (targets.length === 0 || isMixed || !targets.every(isTarget)) {
    throw new Error("expected a comma list of host:port (a host that can be connected to) or unix:<path>, or one dns:///name:port");
  }
  return targets;
}

/** The name of a target list that is one `dns:///name:port`, and its port; undefined for any other. */
export function resolvedTarget([target = "", ...rest]: readonly string[]): { readonly host: string; readonly port: number } | undefined {
  if (rest.length > 0 || !target.startsWith(RESOLVED)) {
    return undefined;
  }
  const { host, port } = splitTarget(target);
  return { host: withoutBrackets(host), port };
}

/** Whether nobody on another machine takes part: a loopback address or a unix socket. */
export function isOfThisMachine(address: string): boolean {
  return isUnixSocket(address) || isLoopbackHost(splitTarget(address).host);
}

/** Whether an address is `unix:<path>`. */
export function isUnixSocket(address: string): boolean {
  return /^unix:./.test(address);
}

// Labels of letters, digits and hyphens (RFC 1123 section 2.1), and underscores, which containers' names have; the last one is no number. A dot
// at the end says that the name is whole.
const NAME = /^(?=.{1,253}\.?$)(?:\w(?:[\w-]{0,61}\w)?\.)*(?!\d+\.?$)\w(?:[\w-]{0,61}\w)?\.?$/;

/** A zone is none of it: no URL has one. */
function isHost(value: string): boolean {
  return (isIP(value) !== 0 && !value.includes("%")) || NAME.test(value);
}

/** How a target begins whose name is resolved. */
const RESOLVED = "dns:///";

/** Hosts that are listened on and are nowhere. */
const ANYWHERE = ["0.0.0.0", "[::]"];

function isTarget(value: string): boolean {
  const { host, port } = splitTarget(value);
  return isUnixSocket(value) || (host !== "" && !ANYWHERE.includes(host) && port > 0 && port <= 65_535);
}

function splitTarget(value: string): { host: string; port: number } {
  return split(value.startsWith(RESOLVED) ? value.slice(RESOLVED.length) : value);
}

function split(value: string): { host: string; port: number } {
  const [, host = "", port = "0"] = /^(\[[0-9a-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(value) ?? [];
  return { host: isHost(withoutBrackets(host)) ? host : "", port: Number(port) };
}
