import type { RequestOptions } from "node:https";
import { getOS } from "mongodb-memory-server-core/lib/util/getos/index.js";
import { MongoBinaryDownload } from "mongodb-memory-server-core/lib/util/MongoBinaryDownload.js";

/** The release that is fetched from its makers. */
export const RELEASE = "6.0.20";

/** How long the makers' host may be silent, before the first byte and between any two: a slow download goes on, one that stands still does not. */
const SILENCE_MS = 5_000;

/** Fetches the release for this machine into a folder. Resolves to the path of the server. */
export async function fetchRelease(folder: string): Promise<string> {
  return new ReleaseDownload({ version: RELEASE, downloadDir: folder, checkMD5: true, os: await getOS() }).getMongodPath();
}

class ReleaseDownload extends MongoBinaryDownload {
  // The downloader checks certificates only in some environments of npm, retries for long, and prints its progress on standard output.
  override httpDownload(url: URL, options: RequestOptions, file: string, partFile: string): Promise<string> {
    return super.httpDownload(url, { ...options, rejectUnauthorized: true }, file, partFile, 1, 0, SILENCE_MS);
  }

  override printDownloadProgress(chunk: { length: number }): void {
    this.dlProgress.current += chunk.length;
  }
}
