import { access, chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import type { Env } from "../../platform/env.ts";
import { checkMongod } from "./version.ts";

/** Where fetched servers are kept: a folder of the user's cache (XDG Base Directory Specification), outside any checkout. */
export function cacheDirectory(env: Env): string {
  const xdg = env["XDG_CACHE_HOME"] ?? "";
  return join(isAbsolute(xdg) ? xdg : join(homedir(), ".cache"), "sallyport");
}

/** The file of the cached server for this kind of machine. */
export function cachedMongod(directory: string): string {
  return join(directory, `mongodb-6.0-${process.platform}-${process.arch}`, "mongod");
}

/** The cached server, when there is one that runs. */
export async function findInCache(directory: string, stop: AbortSignal): Promise<string> {
  const file = cachedMongod(directory);
  await access(file).catch(() => {
    throw new Error(`${file} does not exist`);
  });
  await checkMongod(file, stop);
  return file;
}

/**
 * Has a server fetched into a new folder of the cache, checks that it runs, and moves it to its place. Several processes may do so at once: each move is atomic.
 * `fetch` resolves to the path of the server within the folder that it was given.
 */
export async function fetchIntoCache(directory: string, fetch: (folder: string) => Promise<string>, stop: AbortSignal): Promise<string> {
  await mkdir(directory, { recursive: true });
  const folder = await mkdtemp(join(directory, "fetch-"));
  try {
    const fetched = await fetch(folder);
    await chmod(fetched, 0o755);
    await checkMongod(fetched, stop);
    const place = cachedMongod(directory);
    await mkdir(dirname(place), { recursive: true });
    await rename(fetched, place);
    return place;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
