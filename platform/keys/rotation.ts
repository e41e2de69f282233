import { mkdir, stat } from "node:fs/promises";
import { freshKey, isMissing, type Key, readKey } from "./key.ts";
import { addKeyFile, removeKeyFile, replaceKeyFile } from "./key-file.ts";
import { KEY_KINDS, type KeyKind, type KeyName } from "./kind.ts";
import { type KeyPlace, ownFile, placeOf, publishedFile } from "./place.ts";

/** Which keys are rotated, and how. */
export interface Rotation {
  /** All kinds, unless said otherwise. */
  readonly kinds?: readonly KeyKind[];
  /** The file of the active at-rest key, where it is not in the directory. */
  readonly atRestKeyFile?: string;
}

/** Makes the keys that are missing, each in a file of mode 0600. Repeating it, also in two processes at once, changes nothing. */
export async function initKeys(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const { activeFile } of KEY_KINDS.map((kind) => placeOf(directory, kind))) {
    if (!(await exists(activeFile))) {
      await addKeyFile(activeFile, freshKey());
    }
  }
}

/**
 * Publishes a new key of each kind: from then on every copy verifies and reads with it, and none signs or enciphers with it. A key that an earlier rotation
 * published and did not activate is taken up. @throws Error naming the key file that is missing or malformed.
 */
export async function publishKeys(directory: string, rotation: Rotation = {}): Promise<readonly KeyName[]> {
  const published: KeyName[] = [];
  for (const place of placesOf(directory, rotation)) {
    published.push({ kind: place.kind, kid: (await publish(place)).kid });
  }
  return published;
}

/**
 * Makes the keys that are published the active ones of their kinds; their predecessors go on verifying and reading. Every copy must have read the published
 * keys before. @throws Error when none is published, or naming the key file that is malformed.
 */
export async function activateKeys(directory: string, rotation: Rotation = {}): Promise<readonly KeyName[]> {
  const activated: KeyName[] = [];
  for (const place of placesOf(directory, rotation)) {
    const key = await readKey(publishedFile(place)).catch(undefinedIfMissing);
    if (key !== undefined) {
      await activate(place, key);
      activated.push({ kind: place.kind, kid: key.kid });
    }
  }
  if (activated.length === 0) {
    throw new Error("no key is published");
  }
  return activated;
}

/** Publishes new keys, waits, and activates them. `wait` gives every copy the time to read what was published. Answers the new active keys. */
export async function rotateKeys(
  directory: string,
  rotation: Rotation = {},
  wait: (published: readonly KeyName[]) => Promise<unknown> = () => Promise.resolve(),
): Promise<readonly KeyName[]> {
  await wait(await publishKeys(directory, rotation));
  return activateKeys(directory, rotation);
}

/** Where the keys are that a rotation is about. */
export function placesOf(directory: string, { kinds = KEY_KINDS, atRestKeyFile }: Rotation): readonly KeyPlace[] {
  return kinds.map((kind) => placeOf(directory, kind, kind === "at-rest" ? atRestKeyFile : undefined));
}

async function publish(place: KeyPlace): Promise<Key> {
  const file = publishedFile(place);
  const active = await readActive(place);
  const left = await readKey(file).catch(undefinedIfMissing);
  if (left?.kid === active.kid) {
    // A rotation ended after it made the key active.
    await removeKeyFile(file);
  }
  await addKeyFile(file, freshKey());
  return readKey(file);
}

/** The key and its predecessor get files of their own first: whatever is put in place of `<kind>.key`, and however often, no key is lost. */
async function activate(place: KeyPlace, key: Key): Promise<void> {
  const predecessor = await readActive(place);
  if (predecessor.kid !== key.kid) {
    await replaceKeyFile(ownFile(place, key.kid), key);
    await replaceKeyFile(ownFile(place, predecessor.kid), predecessor);
    await replaceKeyFile(place.activeFile, key);
  }
  await removeKeyFile(publishedFile(place));
}

async function readActive({ kind, activeFile }: KeyPlace): Promise<Key> {
  const key = await readKey(activeFile).catch(undefinedIfMissing);
  if (key === undefined) {
    throw new Error(`there is no ${kind} key to rotate: ${activeFile} is missing`);
  }
  return key;
}

function undefinedIfMissing(error: unknown): undefined {
  if (!isMissing(error)) {
    throw error;
  }
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (error: unknown) => undefinedIfMissing(error) ?? false,
  );
}
