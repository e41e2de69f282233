/** What a key is for: signing refresh tokens, signing receipts, enciphering bodies, digesting bodies for the ledger. */
export const KEY_KINDS = ["token", "receipt", "at-rest", "digest"] as const;
/** One of them. */
export type KeyKind = (typeof KEY_KINDS)[number];

/** Which key: of what kind, and its id. */
export interface KeyName {
  readonly kind: KeyKind;
  readonly kid: string;
}

const DAY_MS = 86_400_000;

/** How long after its last use a key of a kind is needed, in milliseconds: longer than what it made lives. Evidence of reports needs its at-rest keys without end. */
export const KEPT_MS: Readonly<Record<KeyKind, number>> = {
  token: 100 * DAY_MS,
  receipt: 365 * DAY_MS,
  "at-rest": 40 * DAY_MS,
  digest: 40 * DAY_MS,
};

/** Whether a text names a kind. */
export function isKeyKind(text: string): text is KeyKind {
  return KEY_KINDS.some((kind) => kind === text);
}
