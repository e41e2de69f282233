/** What a socket's clock watches; times in milliseconds since the epoch. */
export interface Vigil {
  /** When the last frame of any kind came. */
  readonly frameAt: number;
  readonly pingAt: number;
  /** When the socket has grown old. */
  readonly drainAt: number;
  /** When the step of the exchange that is due began; undefined after the exchange. */
  readonly stepAt: number | undefined;
  /** Since when the client has taken nothing of what waits for it; undefined when nothing waits. */
  readonly stalledSince: number | undefined;
  readonly closing: { readonly at: number; readonly code: number } | undefined;
}

/** What time has come for. */
export type Due =
  | { readonly kind: "close"; readonly code: number }
  /** No frame came for too long: nobody is there to read a closing frame. */
  | { readonly kind: "terminate" }
  | { readonly kind: "timeOutExchange" }
  | { readonly kind: "drain" }
  | { readonly kind: "ping" };

/** The configured times, in milliseconds. */
export interface VigilLimits {
  readonly helloTimeoutMs: number;
  readonly pingIntervalMs: number;
}

/** How long a socket on which something waits is left before it is looked at again. */
export const STALL_CHECK_MS = 1_000;
const LIVENESS_MARGIN_MS = 10_000;
const SLOW_READER_MS = 30_000;

/** What time has come for at `now`, in the order in which it is done. */
export function whatIsDue(vigil: Vigil, limits: VigilLimits, now: number): readonly Due[] {
  const { closing, stepAt, stalledSince, frameAt, drainAt, pingAt } = vigil;
  const due: Due[] = [];
  if (closing !== undefined && now >= closing.at) {
    due.push({ kind: "close", code: closing.code });
  }
  if (stepAt !== undefined && now >= stepAt + limits.helloTimeoutMs) {
    due.push({ kind: "timeOutExchange" });
  }
  if (stalledSince !== undefined && now >= stalledSince + SLOW_READER_MS) {
    due.push({ kind: "close", code: 4008 });
  }
  if (now >= frameAt + limits.pingIntervalMs + LIVENESS_MARGIN_MS) {
    due.push({ kind: "terminate" });
  }
  if (now >= drainAt && closing === undefined) {
    due.push({ kind: "drain" });
  }
  if (now >= pingAt) {
    due.push({ kind: "ping" });
  }
  return due;
}

/** When to look again at the latest. */
export function nextLook({ closing, stepAt, stalledSince, frameAt, drainAt, pingAt }: Vigil, limits: VigilLimits, now: number): number {
  return Math.min(
    pingAt,
    frameAt + limits.pingIntervalMs + LIVENESS_MARGIN_MS,
    closing?.at ?? drainAt,
    stepAt === undefined ? Number.POSITIVE_INFINITY : stepAt + limits.helloTimeoutMs,
    stalledSince === undefined ? Number.POSITIVE_INFINITY : now + STALL_CHECK_MS,
  );
}
