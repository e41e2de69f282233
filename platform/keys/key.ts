import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";

/** 32 secret bytes and the id that says which they are. */
export interface Key {
  /** The first 16 hex digits of the SHA-256 of the secret. */
  readonly kid: string;
  readonly secret: Buffer;
}

/** A key of these 32 bytes. */
export function keyOf(secret: Buffer): Key {
  return { kid: createHash("sha256").update(secret).digest("hex").slice(0, 16), secret };
}

/** A key that nobody has had before. */
export function freshKey(): Key {
  return keyOf(randomBytes(32));
}

/** Reads a key file: base64 of 32 bytes, white space around it ignored. @throws Error naming the file that is malformed or cannot be read. */
export async function readKey(file: string): Promise<Key> {
  const text = (await readFile(file, "utf8").catch((error: unknown) => Promise.reject(naming(file, error)))).trim();
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(text)) {
    throw new Error(`${basename(file)}: expected base64 of 32 bytes`);
  }
  return keyOf(Buffer.from(text, "base64"));
}

/** The text of a key's file. */
export function keyText({ secret }: Key): string {
  return `${secret.toString("base64")}\n`;
}

/** Whether something failed because a file is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

// What reading a folder fails with names no file.
function naming(file: string, error: unknown): unknown {
  return error instanceof Error && "code" in error && error.code === "EISDIR"
    ? new Error(`${basename(file)}: expected a file, found a folder`, { cause: error })
    : error;
}
