import { setTimeout as sleep } from "node:timers/promises";
import { unavailable } from "../errors.ts";
import type { Key } from "./key.ts";
import { type KeySet, readKeySet, readWholeKeySet } from "./key-set.ts";
import type { KeyKind } from "./kind.ts";
import { type KeyPlace, placeOf } from "./place.ts";

/** Where it is written down which keys a ring works with. */
export interface UseRecord {
  /** A key is about to become the active one. Until this resolves its predecessor goes on. */
  begin(key: Key): Promise<void>;
  /** The active key is used. */
  note(key: Key): Promise<void>;
}

/** A ring reads its directory again at most this often, however much garbage asks for it; who asks waits. */
const RELOAD_INTERVAL_MS = 200;
/** A key whose file is gone is forgotten after this time: a directory that is being replaced lacks files for a moment. */
const FORGET_AFTER_MS = 10_000;
/** How often a use is noted. */
const NOTE_EVERY_MS = 3_600_000;

/** The keys of one kind: one that is active, and others that verify and read: older ones, and the one that is published. */
export class KeyRing {
  readonly place: KeyPlace;
  #active: Key;
  #byKid = new Map<string, Key>();
  readonly #missingSince = new Map<string, number>();
  #loadedAt: number;
  #nextReload: Promise<void> | undefined;
  #record: UseRecord | undefined;
  #succession: Promise<void> | undefined;
  #noteAgainAt = Number.NEGATIVE_INFINITY;

  private constructor(place: KeyPlace, keys: KeySet) {
    this.place = place;
    this.#active = keys.active;
    this.#keep(keys);
    this.#loadedAt = performance.now();
  }

  /** The ring of a kind in a directory, its active key read from `activeFile`. @throws Error naming the file that is missing or malformed. */
  static async open(directory: string, kind: KeyKind, activeFile?: string): Promise<KeyRing> {
    const place = placeOf(directory, kind, activeFile);
    return new KeyRing(place, await readWholeKeySet(place));
  }

  /** The key that signs or enciphers. */
  get active(): Key {
    if (this.#record !== undefined && performance.now() >= this.#noteAgainAt) {
      this.#note(this.#record);
    }
    return this.#active;
  }

  /** All keys, the active one first. */
  get all(): readonly Key[] {
    return [this.#active, ...[...this.#byKid.values()].filter(({ kid }) => kid !== this.#active.kid)];
  }

  /** A key by its id. Of an id that it does not know it says so only after a look at the directory that began after it was asked. */
  async find(kid: string): Promise<Key | undefined> {
    if (!this.#byKid.has(kid)) {
      await this.reloadSoon();
    }
    return this.#byKid.get(kid);
  }

  /** Has what the ring works with written down from here on, the active key at once. @throws what `begin` throws. */
  async recordBy(record: UseRecord): Promise<void> {
    // First: a key that becomes active meanwhile is written down too.
    this.#record = record;
    await record.begin(this.#active);
  }

  /**
   * Reads the directory again, as soon as the last reading is not too young.
   * @throws SallyportError UNAVAILABLE when not all of it can be read: what could not be may be what is asked for. The keys at hand go on.
   */
  reloadSoon(): Promise<void> {
    this.#nextReload ??= this.#reloadWhenDue();
    return this.#nextReload;
  }

  async #reloadWhenDue(): Promise<void> {
    await sleep(Math.max(0, this.#loadedAt + RELOAD_INTERVAL_MS - performance.now()));
    // Who asks from here on may ask for what was written after this reading.
    this.#nextReload = undefined;
    this.#loadedAt = performance.now();
    const keys = await readKeySet(this.place).catch((cause: unknown) => Promise.reject(unreadable(cause)));
    this.#keep(keys);
    this.#succeed(keys.active);
    if (keys.unreadable !== undefined) {
      throw unreadable(keys.unreadable);
    }
  }

  #keep({ all, unreadable: trouble }: KeySet): void {
    const now = performance.now();
    const read = new Map(all.map((key) => [key.kid, key]));
    for (const [kid, key] of this.#byKid) {
      const since = this.#missingSince.get(kid) ?? now;
      if (read.has(kid)) {
        this.#missingSince.delete(kid);
      } else if (trouble !== undefined || now - since < FORGET_AFTER_MS) {
        this.#missingSince.set(kid, since);
        read.set(kid, key);
      } else {
        this.#missingSince.delete(kid);
      }
    }
    this.#byKid = read;
  }

  /** One key at a time becomes active; what fails is tried again at the next reading. */
  #succeed(next: Key): void {
    if (next.kid === this.#active.kid || this.#succession !== undefined) {
      return;
    }
    if (this.#record === undefined) {
      this.#active = next;
      return;
    }
    this.#succession = this.#record
      .begin(next)
      .then(
        () => {
          this.#active = next;
          this.#noteAgainAt = Number.NEGATIVE_INFINITY;
        },
        () => undefined,
      )
      .finally(() => {
        this.#succession = undefined;
      });
  }

  #note(record: UseRecord): void {
    this.#noteAgainAt = performance.now() + NOTE_EVERY_MS;
    record.note(this.#active).catch(() => {
      this.#noteAgainAt = Number.NEGATIVE_INFINITY;
    });
  }
}

function unreadable(cause: unknown): Error {
  return unavailable("the keys cannot be read", "KEYS_UNREADABLE", cause);
}
