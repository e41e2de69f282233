import { type Canaries, findLeaks } from "./canaries.ts";

/** So many secrets of one gateway are looked for: the search reads its whole log for each. */
const MAX_OF_ONE = 60;
/** Shorter or duller ones cannot be told from anything else. */
const MIN_BYTES = 16;
const MIN_DIFFERENT_BYTES = 8;

const byHost = new Map<string, Uint8Array[]>();

/** Remembers secrets that a test had from the gateway at a URL, or gave to it: none may appear in what its processes log. */
export function keepSecret(url: string, ...secrets: readonly Uint8Array[]): void {
  const { host } = new URL(url);
  const known = byHost.get(host) ?? [];
  byHost.set(host, known);
  const telling = secrets.filter((secret) => secret.length >= MIN_BYTES && new Set(secret).size >= MIN_DIFFERENT_BYTES);
  known.push(...telling.slice(0, Math.max(0, MAX_OF_ONE - known.length)));
}

/** Refuses a log that holds a secret of the gateway at a URL. @throws Error that says how it is written there */
export function requireNoSecret(url: string, log: string): void {
  const secrets: Canaries = Object.fromEntries((byHost.get(new URL(url).host) ?? []).map((secret, index) => [`secret ${index}`, secret]));
  const forms = new Set(findLeaks(log, secrets).map(({ form }) => form));
  if (forms.size > 0) {
    throw new Error(`the log of a stack holds a token or a body, ${[...forms].join(", ")}`);
  }
}
