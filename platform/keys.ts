import { createHash, randomBytes } from "node:crypto";
import { chmod, link, mkdir, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** What a key is for: signing refresh tokens, signing receipts, enciphering bodies, digesting bodies for the ledger. */
export const KEY_KINDS = ["token", "receipt", "at-rest", "digest"] as const;
/** One of them. */
export type KeyKind = (typeof KEY_KINDS)[number];

/** 32 secret bytes and the id that says which they are. */
export interface Key {
  /** The first 16 hex digits of the SHA-256 of the secret. */
  readonly kid: string;
  readonly secret: Buffer;
}

/** How often at most an unknown kid makes a ring read its directory again. */
const RELOAD_COOL_DOWN_MS = 1_000;

/** The keys of one kind: one that is active, and older ones that still verify and read. */
export class KeyRing {
  readonly #load: () => Promise<readonly Key[]>;
  #active: Key;
  #byKid: ReadonlyMap<string, Key>;
  #loadedAt = 0;

  private constructor(load: () => Promise<readonly Key[]>, keys: readonly Key[]) {
    this.#load = load;
    this.#active = firstOf(keys);
    this.#byKid = new Map(keys.map((key) => [key.kid, key]));
  }

  /** The ring of a kind in a directory, its active key read from `activeFile`. @throws Error naming the file that is missing or malformed. */
  static async open(directory: string, kind: KeyKind, activeFile: string = join(directory, `${kind}.key`)): Promise<KeyRing> {
    const load = (): Promise<readonly Key[]> => readKeys(directory, kind, activeFile);
    return new KeyRing(load, await load());
  }

  /** The key that signs or enciphers. */
  get active(): Key {
    return this.#active;
  }

  /** All keys, the active one first. */
  get all(): readonly Key[] {
    return [...this.#byKid.values()];
  }

  /** A key by its id; a rotation by another process is found by reading the directory again. */
  async find(kid: string): Promise<Key | undefined> {
    const known = this.#byKid.get(kid);
    if (known !== undefined || Date.now() - this.#loadedAt < RELOAD_COOL_DOWN_MS) {
      return known;
    }
    await this.reload();
    return this.#byKid.get(kid);
  }

  /** Reads the directory again. */
  async reload(): Promise<void> {
    this.#loadedAt = Date.now();
    const keys = await this.#load();
    this.#active = firstOf(keys);
    this.#byKid = new Map(keys.map((key) => [key.kid, key]));
  }
}

/** Makes the keys that are missing, each in a file of mode 0600. Repeating it, also in two processes at once, changes nothing. */
export async function initKeys(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const kind of KEY_KINDS) {
    const fresh = await writeFreshKey(directory, kind);
    // A link never replaces a file: of two processes one wins.
    await link(fresh, join(directory, `${kind}.key`)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") {
        throw error;
      }
    });
    await unlink(fresh);
  }
}

/** Makes a new active key of every kind; the old ones go on verifying and reading. Answers the new kids, `<kind> <kid>`. */
export async function rotateKeys(directory: string): Promise<readonly string[]> {
  await initKeys(directory);
  const made: string[] = [];
  for (const kind of KEY_KINDS) {
    const active = join(directory, `${kind}.key`);
    const old = await readKey(active);
    await link(active, join(directory, `${kind}-${old.kid}.key`)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") {
        throw error;
      }
    });
    await rename(await writeFreshKey(directory, kind), active);
    made.push(`${kind} ${(await readKey(active)).kid}`);
  }
  return made;
}

async function readKeys(directory: string, kind: KeyKind, activeFile: string): Promise<readonly Key[]> {
  const names = await readdir(directory);
  const older = names.filter((name) => name === `${kind}.key` || (name.startsWith(`${kind}-`) && name.endsWith(".key")));
  const keys = [await readKey(activeFile), ...(await Promise.all(older.map((name) => readKey(join(directory, name)))))];
  return [...new Map(keys.map((key) => [key.kid, key])).values()];
}

async function readKey(file: string): Promise<Key> {
  const secret = Buffer.from((await readFile(file, "utf8")).trim(), "base64");
  if (secret.length !== 32) {
    throw new Error(`${basename(file)}: expected base64 of 32 bytes`);
  }
  return { kid: createHash("sha256").update(secret).digest("hex").slice(0, 16), secret };
}

async function writeFreshKey(directory: string, kind: KeyKind): Promise<string> {
  const file = join(directory, `.${kind}-${randomBytes(6).toString("hex")}`);
  await writeFile(file, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600, flag: "wx" });
  await chmod(file, 0o600);
  return file;
}

function firstOf(keys: readonly Key[]): Key {
  const [first] = keys;
  if (first === undefined) {
    throw new Error("no key");
  }
  return first;
}
