import type { KeyEvents } from "./events.ts";
import { KEPT_MS, type KeyName } from "./kind.ts";
import type { KeyRing } from "./ring.ts";
import type { KeyUse, KeyUses } from "./uses.ts";

/** What a service knows of its data and the keys that made it. */
export interface KeyedData {
  /** The keys that the data names. */
  keys(): Promise<readonly KeyName[]>;
  /** Whether something is there that a key may have made whose use nobody noted, or was last noted long ago. */
  needs(use: KeyUse): Promise<boolean>;
}

/** What decides which keys a start needs. */
export interface Requirement {
  readonly rings: readonly KeyRing[];
  readonly uses: KeyUses;
  readonly data: KeyedData;
  /** Keys that are lost for good, `<kind>:<kid>`. */
  readonly lost: readonly string[];
  readonly events: Pick<KeyEvents, "keyGivenUp">;
}

/** Checks that every key is there that data needs. @throws Error naming those that are missing, and what to do. */
export async function requireKeys({ rings, uses, data, lost, events }: Requirement): Promise<void> {
  const missing: string[] = [];
  for (const use of await recordedUses(uses, data)) {
    const { kind, kid } = use;
    const ring = rings.find(({ place }) => place.kind === kind);
    if (ring === undefined || (await ring.find(kid)) !== undefined) {
      continue;
    }
    if (!(await isNeeded(use, data))) {
      await uses.forget(kind, kid);
    } else if (lost.includes(nameOf(use))) {
      await uses.forget(kind, kid);
      events.keyGivenUp(kind, kid);
    } else {
      missing.push(nameOf(use));
    }
  }
  if (missing.length > 0) {
    throw missingKeys(missing, rings);
  }
}

/** Data that is older than the record says itself which keys it needs. */
async function recordedUses(uses: KeyUses, data: KeyedData): Promise<readonly KeyUse[]> {
  const recorded = await uses.list();
  if (recorded.length > 0) {
    return recorded;
  }
  for (const { kind, kid } of await data.keys()) {
    await uses.note(kind, kid);
  }
  return uses.list();
}

async function isNeeded(use: KeyUse, data: KeyedData): Promise<boolean> {
  const isRecent = use.usedAt !== undefined && Date.now() - use.usedAt.getTime() < KEPT_MS[use.kind];
  return isRecent || data.needs(use);
}

function nameOf({ kind, kid }: KeyName): string {
  return `${kind}:${kid}`;
}

function missingKeys(names: readonly string[], rings: readonly KeyRing[]): Error {
  const directories = [...new Set(rings.map(({ place }) => place.directory))].join(", ");
  return new Error(
    `keys that data needs are missing: ${names.join(", ")}. Copy their files back into ${directories}, over those that are there; ` +
      `or go on for good without what they made: SALLYPORT_LOST_KEYS=${names.join(",")}`,
  );
}
