import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { KeyKind } from "./kind.ts";

/** Where the keys of one kind are: the active one in a file that is named, all others in the directory. */
export interface KeyPlace {
  readonly kind: KeyKind;
  readonly directory: string;
  readonly activeFile: string;
}

/** The place of a kind in a directory: `<kind>.key` is the active key, unless it is in another file. */
export function placeOf(directory: string, kind: KeyKind, activeFile: string = join(directory, `${kind}.key`)): KeyPlace {
  return { kind, directory, activeFile };
}

/** The file of the key that is published and not yet active. */
export function publishedFile({ directory, kind }: KeyPlace): string {
  return join(directory, `${kind}-next.key`);
}

/** The file that a key keeps when it is no longer the active one. */
export function ownFile({ directory, kind }: KeyPlace, kid: string): string {
  return join(directory, `${kind}-${kid}.key`);
}

/** Every key file of the kind in the directory: `<kind>.key` and `<kind>-<anything>.key`. What begins with a dot is none, such as `..data` of a mounted secret. */
export async function filesAt({ directory, kind }: KeyPlace): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => name === `${kind}.key` || (name.startsWith(`${kind}-`) && name.endsWith(".key")))
    .map((name) => join(directory, name));
}
