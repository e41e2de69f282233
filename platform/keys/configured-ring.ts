import { ConfigError } from "../env.ts";
import { isMissing, readKey } from "./key.ts";
import type { KeyKind } from "./kind.ts";
import { KeyRing } from "./ring.ts";

/** A file of its own for the active key, and the variable that names it. */
export interface OwnFile {
  readonly file: string;
  readonly variable: string;
}

/** The ring of a kind in the configured directory. @throws ConfigError naming the variable whose key is missing or malformed. */
export async function openConfiguredRing(directory: string, kind: KeyKind, own?: OwnFile): Promise<KeyRing> {
  if (own !== undefined) {
    await naming(own.variable, kind, own.file, () => readKey(own.file));
  }
  return naming("SALLYPORT_KEYS_DIR", kind, directory, () => KeyRing.open(directory, kind, own?.file));
}

async function naming<T>(variable: string, kind: KeyKind, place: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (isMissing(error)) {
      throw new ConfigError([`${variable}: there is no ${kind} key at ${place} (npx sallyport keys init makes the keys that are missing)`]);
    }
    throw new ConfigError([`${variable}: ${error instanceof Error ? error.message : "unreadable"}`]);
  }
}
