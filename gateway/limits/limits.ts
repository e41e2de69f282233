import type { Clock } from "../../platform/clock.ts";
import { SallyportError } from "../../platform/errors.ts";
import type { MethodPolicy } from "../../proto/method.ts";
import { addressKey } from "./address-key.ts";
import type { Taking } from "./bucket.ts";
import { Limiter } from "./limiter.ts";
import { Meter } from "./meter.ts";
import type { LimitRates } from "./rates.ts";

/** What was refused because there was too much of it. */
export type Limited = "login" | "socket" | "exchange" | "bytes" | "message" | "call" | "frame";

/** Who makes a call. */
export interface CallOrigin {
  readonly address: string;
  /** Undefined where the method asks for no token. */
  readonly accountId: string | undefined;
}

/** The rate limits of a gateway (docs/protocol.md, rate limits). What is refused takes nothing. Addresses are canonical. */
export interface Limits {
  /** A new socket: why it is refused, or nothing. */
  takeSocket(address: string): SallyportError | undefined;
  /** Bytes of a call that asks for no token: why they are refused, or nothing. */
  takeBytes(address: string, bytes: number): SallyportError | undefined;
  /** A call, by the limiter of its method's policy. @throws SallyportError RESOURCE_EXHAUSTED */
  takeCall(limiter: MethodPolicy["limiter"], origin: CallOrigin): void;
  /** A refresh token was refused for good: whether its client may be told so, or has to wait. */
  takeRefusedExchange(address: string): Taking;
  /** For one new socket: what comes of each frame. */
  meterFrames(): () => Taking;
}

const TAKEN: Taking = { kind: "taken" };

/** Limits at some rates; `report` hears of each refusal. */
export function createLimits(rates: LimitRates, clock: Clock, report: (what: Limited) => void): Limits {
  const logins = new Limiter(clock, rates.logins, rates.allLogins);
  const sockets = new Limiter(clock, rates.sockets, rates.allSockets);
  const exchanges = new Limiter(clock, rates.refusedExchanges, rates.allRefusedExchanges);
  const anonymousBytes = new Limiter(clock, rates.anonymousBytes);
  const messages = new Limiter(clock, rates.messages);
  const calls = new Limiter(clock, rates.calls);
  const tell = (what: Limited, taking: Taking): Taking => {
    if (taking.kind === "refused") {
      report(what);
    }
    return taking;
  };
  const refusal = (what: Limited, taking: Taking): SallyportError | undefined => {
    const { kind, ...wait } = tell(what, taking);
    return kind === "taken"
      ? undefined
      : new SallyportError("RESOURCE_EXHAUSTED", "too many, too fast", { reason: "RATE_LIMITED", ...wait });
  };
  const ofAccount = ({ accountId, address }: CallOrigin): string => accountId ?? addressKey(address);
  const byLimiter: Readonly<Record<MethodPolicy["limiter"], (origin: CallOrigin) => SallyportError | undefined>> = {
    none: () => undefined,
    login: ({ address }) => refusal("login", logins.take(addressKey(address))),
    message: (origin) => refusal("message", messages.take(ofAccount(origin))),
    call: (origin) => refusal("call", calls.take(ofAccount(origin))),
    // The chat service counts reports, in the database.
    report: () => undefined,
  };
  return {
    takeSocket: (address) => refusal("socket", sockets.take(addressKey(address))),
    takeCall: (limiter, origin) => {
      const refused = byLimiter[limiter](origin);
      if (refused !== undefined) {
        throw refused;
      }
    },
    takeBytes: (address, bytes) => refusal("bytes", anonymousBytes.take(addressKey(address), bytes)),
    takeRefusedExchange: (address) => tell("exchange", exchanges.take(addressKey(address))),
    meterFrames: () => {
      const meter = new Meter(rates.frames, clock());
      // The next socket begins with a full bucket: until then its client waits as long as this one would take to fill.
      const retryAfterMs = Math.ceil(rates.frames.burst / rates.frames.perMs);
      return () => (tell("frame", meter.take(clock())).kind === "taken" ? TAKEN : { kind: "refused", retryAfterMs });
    },
  };
}

/** Limits that let everything pass. */
export function liftedLimits(): Limits {
  return {
    takeSocket: () => undefined,
    takeBytes: () => undefined,
    takeCall: () => undefined,
    takeRefusedExchange: () => TAKEN,
    meterFrames: () => () => TAKEN,
  };
}
