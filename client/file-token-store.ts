import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { withLockFile } from "./lock-file.ts";
import type { TokenStore } from "./token-store.ts";

/**
 * A store for Node: a directory of one session, with a file for each refresh token (mode 0600) and a lock file by which the processes of
 * one machine take turns. A token is written to a file beside, brought to the disk, then renamed: a crash leaves the old one or the new one.
 */
export function fileTokenStore(directory: string): TokenStore {
  const fileOf = (service: string): string => join(directory, `${service}.refresh-token`);
  return {
    load: (service) => readFile(fileOf(service)).catch(undefinedIfMissing),
    save: async (service, refreshToken) => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writeDurably(directory, fileOf(service), refreshToken);
    },
    exclusive: async (work, signal) => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return withLockFile(directory, work, signal);
    },
  };
}

async function writeDurably(directory: string, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(directory);
}

/** The rename itself must reach the disk too. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") {
    return;
  }
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") {
    throw error;
  }
}
