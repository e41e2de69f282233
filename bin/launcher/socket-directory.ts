import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Disposables } from "../../platform/lifecycle.ts";
import { socketPath } from "./child-environment.ts";

/** What fits into `sun_path` on every system (104 bytes on the BSDs and macOS, 108 on Linux), with its terminating zero. */
const LONGEST_SOCKET_PATH = 103;

/** A directory for the services' unix sockets: the one that is preferred, or, where their paths would be too long for the system, a new private one. */
export async function openSocketDirectory(preferred: string, owner: Disposables): Promise<string> {
  if (socketsFit(preferred)) {
    return preferred;
  }
  const short = await mkdtemp(join(tmpdir(), "sallyport-"));
  owner.defer(() => rm(short, { recursive: true, force: true }));
  return short;
}

/** Whether the paths of the sockets in a directory are short enough. */
export function socketsFit(directory: string): boolean {
  return (["account", "chat"] as const).every((role) => Buffer.byteLength(socketPath(directory, role)) <= LONGEST_SOCKET_PATH);
}
