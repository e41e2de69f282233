import { isMissing, type Key, readKey } from "./key.ts";
import { filesAt, type KeyPlace } from "./place.ts";

/** The keys of a kind as they were at one moment. */
export interface KeySet {
  readonly active: Key;
  /** Every key once, the active one first. */
  readonly all: readonly Key[];
  /** Why a file besides the active one could not be read; what it holds is not among the keys. */
  readonly unreadable: Error | undefined;
}

/** A rotation removes one file; where files that are listed keep being gone, a link leads nowhere. */
const MAX_READINGS = 10;

/** Reads the keys of a kind, during a rotation too. @throws Error naming the file of the active key when that is missing or malformed. */
export async function readKeySet(place: KeyPlace): Promise<KeySet> {
  for (let readings = 1; ; readings += 1) {
    try {
      return await readOnce(place);
    } catch (error) {
      if (!isMissing(error) || readings === MAX_READINGS) {
        throw error;
      }
    }
  }
}

/** The same, where every file has to be good. @throws Error naming the file that is missing or malformed. */
export async function readWholeKeySet(place: KeyPlace): Promise<KeySet> {
  const set = await readKeySet(place);
  if (set.unreadable !== undefined) {
    throw set.unreadable;
  }
  return set;
}

/** The active key first: a key that is active later is among the others. @throws Error also when a file is gone that was listed. */
async function readOnce(place: KeyPlace): Promise<KeySet> {
  const active = await readKey(place.activeFile);
  let unreadable: Error | undefined;
  const others = await Promise.all(
    (await filesAt(place)).map((file) =>
      readKey(file).catch((error: Error) => {
        if (isMissing(error)) {
          throw error;
        }
        unreadable = error;
      }),
    ),
  );
  const all = [active, ...others.filter((key) => key !== undefined)];
  return { active, all: [...new Map(all.map((key) => [key.kid, key])).values()], unreadable };
}
