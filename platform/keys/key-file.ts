import { randomBytes } from "node:crypto";
import { link, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Key, keyText } from "./key.ts";

/** Puts a key into a file, in place of what it holds; readers find either. Mode 0600, and durable when it resolves. */
export async function replaceKeyFile(file: string, key: Key): Promise<void> {
  await viaTemporary(file, key, (temporary) => rename(temporary, file));
}

/** Puts a key into a file unless there is one: of two processes one wins. Mode 0600, and durable when it resolves. */
export async function addKeyFile(file: string, key: Key): Promise<void> {
  await viaTemporary(file, key, (temporary) =>
    // A link never replaces a file.
    link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") {
        throw error;
      }
    }),
  );
}

/** Removes a key file, durably. One that is gone is fine. */
export async function removeKeyFile(file: string): Promise<void> {
  await rm(file, { force: true });
  await syncDirectory(dirname(file));
}

async function viaTemporary(file: string, key: Key, place: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}-${randomBytes(6).toString("hex")}`);
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(keyText(key));
      await handle.chmod(0o600);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await place(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(dirname(file));
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
