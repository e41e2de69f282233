import { createHash } from "node:crypto";

/**
 * The candidates, ids of copies, in the order in which they serve a key (rendezvous hashing): the same on every gateway, and when one
 * goes, only its own keys move.
 */
export function rankCandidates(key: string, candidates: readonly string[]): readonly string[] {
  if (candidates.length < 2) {
    return candidates;
  }
  const scored = candidates.map((candidate) => ({ candidate, score: createHash("sha1").update(`${key}\n${candidate}`).digest("hex") }));
  scored.sort((a, b) => (a.score < b.score ? 1 : -1));
  return scored.map(({ candidate }) => candidate);
}
