import type { ServiceName } from "../proto/method.ts";

/** What the account service says of an accepted refresh token. */
export interface Grant {
  readonly service: ServiceName;
  readonly accountId: string;
  readonly sessionId: string;
  /** The generation of the successor, which the client confirms. */
  readonly generation: number;
  /** Names the access token when its socket is gone. */
  readonly grantId: string;
}

/** A token that a client presented, and when it arrived (milliseconds since the epoch). */
interface Presentation {
  readonly token: Uint8Array;
  readonly at: number;
}

/** Where the exchange of a socket stands. The service whose turn it is comes right after those in `grants`. */
export type Exchange =
  | { readonly step: "awaiting"; readonly services: readonly ServiceName[]; readonly grants: readonly Grant[] }
  | {
      readonly step: "judging";
      readonly services: readonly ServiceName[];
      readonly grants: readonly Grant[];
      readonly queued: readonly Presentation[];
    }
  | { readonly step: "over" };

/** What happens to an exchange; times in milliseconds since the epoch. */
export type ExchangeInput =
  | { readonly kind: "frame"; readonly bytes: Uint8Array; readonly isBinary: boolean; readonly at: number }
  | {
      readonly kind: "accepted";
      readonly grant: Grant;
      readonly nextRefreshToken: Uint8Array;
      readonly accessToken: Uint8Array;
      readonly at: number;
    }
  | { readonly kind: "refused" }
  | { readonly kind: "limited"; readonly retryAfterMs: number }
  | { readonly kind: "failed" }
  | { readonly kind: "timedOut" };

/** What an exchange asks its socket to do. */
export type ExchangeEffect =
  | { readonly kind: "judge"; readonly service: ServiceName; readonly token: Uint8Array; readonly deadline: number }
  | { readonly kind: "send"; readonly bytes: Uint8Array }
  /** Step 4 of one service is done: the time for the next step begins. */
  | { readonly kind: "stepped" }
  | { readonly kind: "completed"; readonly grants: readonly Grant[] }
  | { readonly kind: "close"; readonly code: number; readonly reason?: string };

type Transition = readonly [Exchange, readonly ExchangeEffect[]];

/** The longest frame before the exchange is complete, in bytes. */
const MAX_TOKEN_BYTES = 1024;
/** How long a judgement may take, from the arrival of its token. */
export const JUDGEMENT_MS = 5_000;

/** The exchange of a socket that was opened for some services, in the URL's order. */
export function beginExchange(services: readonly ServiceName[]): Exchange {
  return { step: "awaiting", services, grants: [] };
}

/** The token exchange of one socket. Nothing is sent before a token is accepted; tokens are judged one after the other. */
export function exchange(state: Exchange, input: ExchangeInput): Transition {
  if (state.step === "over") {
    return [state, []];
  }
  switch (input.kind) {
    case "frame":
      return receive(state, input);
    case "accepted":
      return state.step === "judging" ? accept(state, input) : [state, []];
    case "refused":
      return close(4401);
    case "limited":
      return close(4429, `${input.retryAfterMs}`);
    case "failed":
      return close(4503);
    case "timedOut":
      // The client has done its part when its token is being judged.
      return close(state.step === "judging" ? 4503 : 4408);
  }
}

function receive(
  state: Exclude<Exchange, { step: "over" }>,
  { bytes, isBinary, at }: Extract<ExchangeInput, { kind: "frame" }>,
): Transition {
  if (bytes.length > MAX_TOKEN_BYTES) {
    return close(1009);
  }
  if (!isBinary) {
    return close(4400);
  }
  const presentation = { token: bytes, at };
  if (state.step === "awaiting") {
    return judge(state.services, state.grants, presentation, []);
  }
  const due = state.services.length - state.grants.length - 1;
  if (state.queued.length >= due) {
    return close(4400);
  }
  return [{ ...state, queued: [...state.queued, presentation] }, []];
}

function accept(state: Extract<Exchange, { step: "judging" }>, input: Extract<ExchangeInput, { kind: "accepted" }>): Transition {
  const grants = [...state.grants, input.grant];
  const effects: ExchangeEffect[] = [
    { kind: "send", bytes: input.nextRefreshToken },
    { kind: "send", bytes: input.accessToken },
    { kind: "stepped" },
  ];
  if (grants.length === state.services.length) {
    return [{ step: "over" }, [...effects, { kind: "completed", grants }]];
  }
  const [next, ...queued] = state.queued;
  if (next === undefined) {
    return [{ step: "awaiting", services: state.services, grants }, effects];
  }
  if (next.at + JUDGEMENT_MS <= input.at) {
    return [{ step: "over" }, [...effects, { kind: "close", code: 4503 }]];
  }
  const [after, more] = judge(state.services, grants, next, queued);
  return [after, [...effects, ...more]];
}

function judge(
  services: readonly ServiceName[],
  grants: readonly Grant[],
  { token, at }: Presentation,
  queued: readonly Presentation[],
): Transition {
  const service = services[grants.length] as ServiceName;
  return [{ step: "judging", services, grants, queued }, [{ kind: "judge", service, token, deadline: at + JUDGEMENT_MS }]];
}

function close(code: number, reason?: string): Transition {
  return [{ step: "over" }, [{ kind: "close", code, ...(reason === undefined ? {} : { reason }) }]];
}
