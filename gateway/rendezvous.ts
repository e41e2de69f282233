/**
 * The candidates, ids of copies, in the order in which they serve a key (rendezvous hashing): the same on every gateway, and when one
 * goes, only its own keys move.
 */
export function rankCandidates(key: string, candidates: readonly string[]): readonly string[] {
  if (candidates.length < 2) {
    return candidates;
  }
  const keyHash = hash(key);
  const scored = candidates.map((candidate) => ({ candidate, score: mix(keyHash ^ mix(hash(candidate))) }));
  scored.sort((a, b) => b.score - a.score || (a.candidate < b.candidate ? 1 : -1));
  return scored.map(({ candidate }) => candidate);
}

/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/): a digest would cost more than the call that it sends on its way. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value;
}

/** Spreads every bit over all: the finalizer of MurmurHash3 (https://github.com/aappleby/smhasher). */
function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
