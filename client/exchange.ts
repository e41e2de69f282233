import type { ServiceName } from "../proto/method.ts";

const REFRESH_TOKEN_BYTES = 1024;
const ACCESS_TOKEN_BYTES = 32;

/** A refresh token with the service that it is of. */
export interface HeldToken {
  readonly service: ServiceName;
  readonly refreshToken: Uint8Array;
}

/** The access tokens that an exchange gave. */
export type AccessTokens = ReadonlyMap<ServiceName, Uint8Array>;

/**
 * The token exchange of one socket (docs/protocol.md, the socket). `unsaved` counts the new refresh tokens that are not yet known to be in
 * the app's store: while there are any, nothing is sent, or the server would take them for confirmed.
 */
export type Exchange =
  | { readonly at: "opening"; readonly held: readonly HeldToken[] }
  | { readonly at: "exchanging"; readonly due: readonly Due[]; readonly unsaved: number; readonly accessTokens: AccessTokens }
  | { readonly at: "complete"; readonly accessTokens: AccessTokens }
  | { readonly at: "broken" };

/** A frame that the server owes. */
interface Due {
  readonly service: ServiceName;
  readonly token: "refresh" | "access";
}

/** What happens during an exchange. */
export type ExchangeInput =
  | { readonly kind: "opened" }
  | { readonly kind: "binary"; readonly bytes: Uint8Array }
  | { readonly kind: "saved" };

/** What is to be done about it. "complete": frames may be sent, and one must be, to confirm. */
export type ExchangeEffect =
  | { readonly kind: "send"; readonly bytes: Uint8Array }
  | { readonly kind: "save"; readonly token: HeldToken }
  | { readonly kind: "complete"; readonly accessTokens: AccessTokens }
  | { readonly kind: "break" };

type Step = readonly [Exchange, readonly ExchangeEffect[]];

/** The next state of an exchange. All tokens go out at once, before any new one can have come: that saves a round trip for each service. */
export function advanceExchange(state: Exchange, input: ExchangeInput): Step {
  switch (input.kind) {
    case "opened":
      return state.at === "opening" ? present(state.held) : [state, []];
    case "binary":
      return state.at === "exchanging" ? receive(state, input.bytes) : state.at === "opening" ? broken() : [state, []];
    case "saved":
      return state.at === "exchanging" ? completeIfDone({ ...state, unsaved: state.unsaved - 1 }) : [state, []];
  }
}

function present(held: readonly HeldToken[]): Step {
  const due = held.flatMap(({ service }): Due[] => [
    { service, token: "refresh" },
    { service, token: "access" },
  ]);
  const sends = held.map(({ refreshToken }): ExchangeEffect => ({ kind: "send", bytes: refreshToken }));
  return [{ at: "exchanging", due, unsaved: 0, accessTokens: new Map() }, sends];
}

function receive(state: Exchange & { at: "exchanging" }, bytes: Uint8Array): Step {
  const [next, ...due] = state.due;
  if (next === undefined || bytes.length !== (next.token === "refresh" ? REFRESH_TOKEN_BYTES : ACCESS_TOKEN_BYTES)) {
    return broken();
  }
  if (next.token === "refresh") {
    return [{ ...state, due, unsaved: state.unsaved + 1 }, [{ kind: "save", token: { service: next.service, refreshToken: bytes } }]];
  }
  return completeIfDone({ ...state, due, accessTokens: new Map([...state.accessTokens, [next.service, bytes]]) });
}

function completeIfDone(state: Exchange & { at: "exchanging" }): Step {
  const { due, unsaved, accessTokens } = state;
  return due.length === 0 && unsaved === 0 ? [{ at: "complete", accessTokens }, [{ kind: "complete", accessTokens }]] : [state, []];
}

function broken(): Step {
  return [{ at: "broken" }, [{ kind: "break" }]];
}
