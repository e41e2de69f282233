import { createHash, randomBytes } from "node:crypto";
import { chmod, link, mkdir, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unavailable } from "./errors.ts";

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

/** A ring reads its directory again at most this often, however much garbage asks for it; who asks waits. */
const RELOAD_INTERVAL_MS = 200;
/** How old a ring may grow before using its active key makes it look for a newer one. */
const FRESH_MS = 2_000;

/** The keys of one kind: one that is active, and older ones that still verify and read. */
export class KeyRing {
  readonly #load: () => Promise<readonly Key[]>;
  #active: Key;
  #byKid: ReadonlyMap<string, Key>;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #nextReload: Promise<void> | undefined;

  private constructor(load: () => Promise<readonly Key[]>, keys: readonly Key[]) {
    this.#load = load;
    this.#active = firstOf(keys);
    this.#byKid = new Map(keys.map((key) => [key.kid, key]));
  }

  /** The ring of a kind in a directory, its active key read from `activeFile`. @throws Error naming the file that is missing or malformed. */
  static async open(directory: string, kind: KeyKind, activeFile: string = join(directory, `${kind}.key`)): Promise<KeyRing> {
    const load = (): Promise<readonly Key[]> => readKeys(directory, kind, activeFile);
    const ring = new KeyRing(load, await load());
    ring.#loadedAt = performance.now();
    return ring;
  }

  /** The key that signs or enciphers. A rotation by another process is noticed within seconds of use. */
  get active(): Key {
    if (performance.now() - this.#loadedAt > FRESH_MS) {
      // The keys at hand go on working when the directory cannot be read.
      this.reloadSoon().catch(() => undefined);
    }
    return this.#active;
  }

  /** All keys, the active one first. */
  get all(): readonly Key[] {
    return [...this.#byKid.values()];
  }

  /** A key by its id. Of an id that it does not know it says so only after a look at the directory that began after it was asked. */
  async find(kid: string): Promise<Key | undefined> {
    if (!this.#byKid.has(kid)) {
      await this.reloadSoon();
    }
    return this.#byKid.get(kid);
  }

  /** Reads the directory again, as soon as the last reading is not too young. @throws SallyportError UNAVAILABLE when it cannot be read. */
  reloadSoon(): Promise<void> {
    this.#nextReload ??= this.#reloadWhenDue();
    return this.#nextReload;
  }

  async #reloadWhenDue(): Promise<void> {
    await sleep(Math.max(0, this.#loadedAt + RELOAD_INTERVAL_MS - performance.now()));
    // Who asks from here on may ask for what was written after this reading.
    this.#nextReload = undefined;
    this.#loadedAt = performance.now();
    try {
      const keys = await this.#load();
      this.#active = firstOf(keys);
      this.#byKid = new Map(keys.map((key) => [key.kid, key]));
    } catch (cause) {
      throw unavailable("the keys cannot be read", "KEYS_UNREADABLE", cause);
    }
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
