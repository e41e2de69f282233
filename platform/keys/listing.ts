import { stat } from "node:fs/promises";
import { readKey } from "./key.ts";
import { KEPT_MS, type KeyKind } from "./kind.ts";
import { filesAt, type KeyPlace, publishedFile } from "./place.ts";

/** What may be told of a key: everything but its secret. */
export interface ListedKey {
  readonly kind: KeyKind;
  readonly kid: string;
  readonly state: KeyState;
  /** When its file was written, which is when it came into its state. */
  readonly since: Date;
  /** Of a retired key: until when something may need it. Evidence of reports needs at-rest keys for longer. */
  readonly keptUntil: Date | undefined;
}

/** Published keys verify and read, the active one signs and enciphers too, retired ones still verify and read. */
export type KeyState = "published" | "active" | "retired";

/** The keys of a kind, newest first. @throws Error naming the file that is missing or malformed. */
export async function listKeys(place: KeyPlace): Promise<readonly ListedKey[]> {
  const active = await listed(place, place.activeFile);
  const others = await Promise.all((await filesAt(place)).map((file) => listed(place, file)));
  const keys = new Map<string, ListedKey>();
  for (const key of [active, ...others]) {
    const known = keys.get(key.kid);
    if (known === undefined || RANK[key.state] < RANK[known.state]) {
      keys.set(key.kid, key);
    }
  }
  return [...keys.values()].sort((a, b) => RANK[a.state] - RANK[b.state] || b.since.getTime() - a.since.getTime());
}

const RANK: Readonly<Record<KeyState, number>> = { published: 1, active: 0, retired: 2 };

async function listed(place: KeyPlace, file: string): Promise<ListedKey> {
  const { kid } = await readKey(file);
  const { mtime: since } = await stat(file);
  const state = stateOf(place, file);
  return {
    kind: place.kind,
    kid,
    state,
    since,
    keptUntil: state === "retired" ? new Date(since.getTime() + KEPT_MS[place.kind]) : undefined,
  };
}

function stateOf(place: KeyPlace, file: string): KeyState {
  if (file === place.activeFile) {
    return "active";
  }
  return file === publishedFile(place) ? "published" : "retired";
}
