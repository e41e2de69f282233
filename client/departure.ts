import type { After } from "./surroundings.ts";

/** What is done to a socket that the server is about to close. */
export interface Leaver {
  /** No further calls go out on it. */
  hold(): void;
  /** It is given up. */
  leave(): void;
}

/** So long before the close no further calls go out, so that those under way have their answers by then. */
const HOLD_MS = 250;
/** A server that has not closed the socket so long after the hint is not waited for. */
const LATE_MS = 2_000;

/** Leaves a socket in time, whose server said that it closes it in so many milliseconds. The result takes that back. */
export function startDeparture(after: After, hintMs: number, leaver: Leaver): () => void {
  const stops = [after(Math.max(0, hintMs - HOLD_MS), () => leaver.hold()), after(hintMs + LATE_MS, () => leaver.leave())];
  return () => {
    for (const stop of stops) {
      stop();
    }
  };
}
