import { backoff } from "./backoff.ts";
import { closeCode, type Reaction } from "./close-codes.ts";

/**
 * A socket that stood this long after its exchange has the connection forget the failures before it, in milliseconds. Short, so that one
 * short outage soon after another does not find the waits of both added up; long enough that a server which takes exchanges and falls
 * over each time is not asked for more than one every two seconds by a client.
 */
export const STABLE_MS = 2_000;

const DISPLACED = 4409;

/** Why a connection is over for good. */
export interface Ending {
  /** What the app should do; "closed": it closed the connection itself. */
  readonly reaction: Exclude<Reaction, "reconnect" | "reconnect-after-hint"> | "closed";
  readonly meaning: string;
  /** The close code, where the server closed it. */
  readonly code?: number;
}

/** Where a connection is in its life, over all its sockets. `failures`: attempts in a row that came to nothing. */
export type Lifecycle =
  | { readonly at: "connecting"; readonly failures: number }
  | {
      readonly at: "ready";
      readonly failures: number;
      readonly since: number;
      /** When the server closes the socket and is to be left alone until, as far as it has said so. */
      readonly closesAt: number | undefined;
      readonly displaced: boolean;
    }
  | { readonly at: "waiting"; readonly failures: number }
  | { readonly at: "ended"; readonly ending: Ending };

/** What happens to a connection. */
export type LifecycleInput =
  | { readonly kind: "exchanged"; readonly now: number }
  | { readonly kind: "draining"; readonly hintMs: number; readonly now: number }
  | { readonly kind: "displaced" }
  | { readonly kind: "closed"; readonly code: number; readonly reason: string; readonly now: number; readonly random: number }
  | { readonly kind: "elapsed" }
  | { readonly kind: "tokenMissing"; readonly service: string }
  | { readonly kind: "close" };

/** What is to be done about it. */
export type LifecycleEffect =
  | { readonly kind: "connect" }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "end"; readonly ending: Ending };

type Step = readonly [Lifecycle, readonly LifecycleEffect[]];

/** A connection at its beginning. */
export function startLifecycle(): Step {
  return [{ at: "connecting", failures: 0 }, [{ kind: "connect" }]];
}

/** The next state of a connection. What does not fit the state (a late timer, a socket given up) changes nothing. */
export function advanceLifecycle(state: Lifecycle, input: LifecycleInput): Step {
  if (state.at === "ended") {
    return [state, []];
  }
  switch (input.kind) {
    case "exchanged":
      return state.at === "connecting"
        ? [{ at: "ready", failures: state.failures, since: input.now, closesAt: undefined, displaced: false }, []]
        : [state, []];
    case "draining":
      return state.at === "ready" ? [{ ...state, closesAt: input.now + input.hintMs }, []] : [state, []];
    case "displaced":
      return state.at === "ready" ? [{ ...state, displaced: true }, []] : [state, []];
    case "closed":
      return state.at === "waiting" ? [state, []] : reactToClose(state, input);
    case "elapsed":
      return state.at === "waiting" ? [{ at: "connecting", failures: state.failures }, [{ kind: "connect" }]] : [state, []];
    case "tokenMissing":
      return end({ reaction: "login-again", meaning: `the token store holds no refresh token of ${input.service}` });
    case "close":
      return end({ reaction: "closed", meaning: "the app closed the connection" });
  }
}

function reactToClose(
  state: Lifecycle & { at: "connecting" | "ready" },
  { code, reason, now, random }: LifecycleInput & { kind: "closed" },
): Step {
  const { reaction, meaning, hint } = closeCode(code);
  switch (reaction) {
    case "reconnect":
    case "reconnect-after-hint": {
      if (state.at === "ready" && state.displaced) {
        // The 4409 that was to come can be lost like any other word, and to come back would displace the newer socket.
        return end({ reaction: "stop", meaning: closeCode(DISPLACED).meaning });
      }
      const failures = state.at === "ready" && now - state.since >= STABLE_MS ? 0 : state.failures;
      const closesAt = hint === "draining" && state.at === "ready" ? state.closesAt : undefined;
      // Closes are spread over a drain's window: the time of its own is the time to come back.
      const hintMs = hint === "reason" ? parseHint(reason) : closesAt && Math.max(0, closesAt - now);
      return [{ at: "waiting", failures: failures + 1 }, [{ kind: "wait", ms: hintMs ?? backoff(failures, random) }]];
    }
    case "login-again":
    case "stop":
    case "fix-client":
      return end({ reaction, meaning, code });
  }
}

function parseHint(reason: string): number | undefined {
  return /^\d{1,9}$/.test(reason) ? Number(reason) : undefined;
}

function end(ending: Ending): Step {
  return [{ at: "ended", ending }, [{ kind: "end", ending }]];
}
