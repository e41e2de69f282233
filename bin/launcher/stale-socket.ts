import { once } from "node:events";
import { lstat, rm } from "node:fs/promises";
import { createConnection } from "node:net";

/** The path in a listen address of the form `unix:<path>`. Undefined for any other form. */
export function unixPath(listen: string | undefined): string | undefined {
  return /^unix:(?:\/\/(?=\/))?(.+)$/.exec(listen ?? "")?.[1];
}

/** Removes the unix socket that a service listened on before it was killed: the next could not listen there. One that somebody listens on stays. */
export async function removeStaleSocket(listen: string | undefined): Promise<void> {
  const path = unixPath(listen);
  const isSocket = path !== undefined && (await lstat(path).catch(() => undefined))?.isSocket();
  if (path !== undefined && isSocket && !(await isServed(path))) {
    await rm(path, { force: true });
  }
}

async function isServed(path: string): Promise<boolean> {
  const socket = createConnection(path);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ECONNREFUSED";
  } finally {
    socket.destroy();
  }
}
