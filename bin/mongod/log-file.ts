import { type FileHandle, open, rename } from "node:fs/promises";

const KEPT = 3;

/** Opens a new log file, after moving those of earlier starts one number up: `<file>.1` is the one before. The oldest is dropped. */
export async function openLogFile(file: string): Promise<FileHandle> {
  for (let age = KEPT; age > 0; age -= 1) {
    const younger = age === 1 ? file : `${file}.${age - 1}`;
    await rename(younger, `${file}.${age}`).catch(ignoreMissing);
  }
  return open(file, "w", 0o600);
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
    throw error;
  }
}
