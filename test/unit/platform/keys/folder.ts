import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Key } from "../../../../platform/keys/key.ts";
import { readWholeKeySet } from "../../../../platform/keys/key-set.ts";
import type { KeyKind } from "../../../../platform/keys/kind.ts";
import { placeOf } from "../../../../platform/keys/place.ts";
import { initKeys } from "../../../../platform/keys/rotation.ts";

/** A folder of keys that is gone at the end. */
export interface KeyFolder extends AsyncDisposable {
  readonly path: string;
  file(name: string): string;
  /** The active key of a kind. */
  active(kind: KeyKind): Promise<Key>;
  /** The ids of all keys of a kind. */
  kids(kind: KeyKind): Promise<readonly string[]>;
}

/** A folder with a key of each kind. */
export async function keyFolder(): Promise<KeyFolder> {
  const path = await mkdtemp(join(tmpdir(), "sallyport-keys-"));
  await initKeys(path);
  return {
    path,
    file: (name) => join(path, name),
    active: async (kind) => (await readWholeKeySet(placeOf(path, kind))).active,
    kids: async (kind) => (await readWholeKeySet(placeOf(path, kind))).all.map(({ kid }) => kid),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}
