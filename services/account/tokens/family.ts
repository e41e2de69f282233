import { timingSafeEqual } from "node:crypto";

/** The refresh tokens of one session for one service: at most two are live at a time. */
export interface Family {
  /** Of the token that was confirmed last; a login's first one counts as confirmed. */
  readonly generation: number;
  /** SHA-256 of that token. */
  readonly digest: Buffer;
  /** Its successor, until it is confirmed. */
  readonly next?: Successor;
  /** The last tokens that were confirmed away, oldest first. */
  readonly retired: readonly Retired[];
  /** Counts the changes of everything but `usedAt`. */
  readonly version: number;
  /** When a token of the family was last exchanged. */
  readonly usedAt: Date;
}

/** A token that was minted and not confirmed yet. */
export interface Successor {
  readonly generation: number;
  readonly digest: Buffer;
  /** The token itself, sealed under its predecessor. */
  readonly sealed: Buffer;
}

/** A token of the past, and when it ended. */
export interface Retired {
  readonly generation: number;
  readonly at: Date;
}

/** A token as it is shown to the server, its MAC checked, and a fresh successor in case that one is due. */
export interface Presentation {
  readonly generation: number;
  readonly digest: Buffer;
  readonly fresh: { readonly digest: Buffer; readonly sealed: Buffer };
}

/** When the question is asked, and how long after its retirement a token is taken for an honest client's. */
export interface Moment {
  readonly now: Date;
  readonly graceMs: number;
}

/** What the presentation of a token comes to. */
export type Outcome =
  /** The current token: the fresh successor is its own. */
  | { readonly kind: "minted"; readonly generation: number }
  /** The unconfirmed successor: confirmed by this, and the fresh successor is its own. `retires` is the generation before it. */
  | { readonly kind: "promoted"; readonly generation: number; readonly retires: number }
  /** The current token again: the successor that it has already, sealed under it. */
  | { readonly kind: "repeated"; readonly generation: number; readonly sealed: Buffer }
  /** Confirmed away a moment ago: refused, no more. */
  | { readonly kind: "justRetired" }
  /** Confirmed away for longer than the grace: stolen. */
  | { readonly kind: "reused" }
  /** Not a token of this family, as far as it knows. */
  | { readonly kind: "unknown" }
  /** Unused for too long. */
  | { readonly kind: "expired" };

/** A family and what was made of it. */
export interface Judgement {
  readonly family: Family;
  readonly outcome: Outcome;
}

/** A family that nobody used for 90 days is expired. */
export const EXPIRY_MS: number = 90 * 86_400_000;
/** So many retirements are remembered one by one. */
export const MAX_RETIRED = 256;

/** The family that a login begins. */
export function beginFamily(digest: Buffer, now: Date): Family {
  return { generation: 1, digest, retired: [], version: 1, usedAt: now };
}

/** Judges a presented token: (family, token) → (family, outcome). Only `minted`, `promoted` and `repeated` change the family. */
export function present(family: Family, token: Presentation, moment: Moment): Judgement {
  if (moment.now.getTime() - family.usedAt.getTime() >= EXPIRY_MS) {
    return { family, outcome: { kind: "expired" } };
  }
  if (token.generation < family.generation) {
    return { family, outcome: { kind: isJustRetired(family, token.generation, moment) ? "justRetired" : "reused" } };
  }
  if (token.generation === family.generation && timingSafeEqual(token.digest, family.digest)) {
    return family.next === undefined ? mint(family, token, moment) : repeat(family, family.next, moment);
  }
  if (token.generation === family.next?.generation && timingSafeEqual(token.digest, family.next.digest)) {
    return promote(family, token, moment);
  }
  return { family, outcome: { kind: "unknown" } };
}

/** The client holds the successor of this generation: it becomes current, its predecessor retires. Of any other generation: nothing changes. */
export function confirm(family: Family, generation: number, { now, graceMs }: Moment): Family {
  const { next, ...rest } = family;
  if (next?.generation !== generation) {
    return family;
  }
  const remembered = family.retired.filter(({ at }) => now.getTime() - at.getTime() < graceMs);
  return {
    ...rest,
    generation: next.generation,
    digest: next.digest,
    retired: [...remembered, { generation: family.generation, at: now }].slice(-MAX_RETIRED),
    version: family.version + 1,
  };
}

function mint(family: Family, token: Presentation, { now }: Moment): Judgement {
  const generation = family.generation + 1;
  return {
    family: { ...family, next: { generation, ...token.fresh }, version: family.version + 1, usedAt: now },
    outcome: { kind: "minted", generation },
  };
}

function promote(family: Family, token: Presentation, moment: Moment): Judgement {
  const minted = mint(confirm(family, token.generation, moment), token, moment);
  return { family: minted.family, outcome: { kind: "promoted", generation: token.generation + 1, retires: family.generation } };
}

function repeat(family: Family, { generation, sealed }: Successor, { now }: Moment): Judgement {
  return { family: { ...family, usedAt: now }, outcome: { kind: "repeated", generation, sealed } };
}

function isJustRetired({ retired }: Family, generation: number, { now, graceMs }: Moment): boolean {
  // Older than all that a full list remembers: it retired no later than the oldest of them.
  const entry = retired.find((one) => one.generation === generation) ?? (retired.length === MAX_RETIRED ? retired[0] : undefined);
  return entry !== undefined && now.getTime() - entry.at.getTime() < graceMs;
}
