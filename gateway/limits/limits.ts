import type { Clock } from "../../platform/clock.ts";
import { SallyportError } from "../../platform/errors.ts";
import type { MethodPolicy } from "../../proto/method.ts";
import { addressKey } from "./address-key.ts";
import type { Taking } from "./bucket.ts";
import { Limiter } from "./limiter.ts";
import { Meter } from "./meter.ts";
import type { LimitRates } from "./rates.ts";

/** What was refused because there was too much of it. */
export type Limited = "login" | "socket" | "exchange" | "bytes" | "message" | "call" | "report" | "frame";

/** Who makes a call. */
export interface CallOrigin {
  readonly address: string;
  /** Undefined where the method asks for no token. */
  readonly accountId: string | undefined;
}

/** What a call took. */
export interface Taken {
  /** For a call that is refused after all because there is too much of something else. */
  giveBack(): void;
}

/** The rate limits of a gateway (docs/protocol.md, rate limits). What is refused takes nothing. Addresses are canonical. */
export interface Limits {
  /** A new socket: why it is refused, or nothing. */
  takeSocket(address: string): SallyportError | undefined;
  /** Bytes of a call that asks for no token: why they are refused, or nothing. */
  takeAnonymousBytes(address: string, bytes: number): SallyportError | undefined;
  /** Bytes of a call that asks for one: why they are refused, or nothing. */
  takeBytes(address: string, bytes: number): SallyportError | undefined;
  /** A call, by the limiter of its method's policy. @throws SallyportError RESOURCE_EXHAUSTED */
  takeCall(limiter: MethodPolicy["limiter"], origin: CallOrigin): Taken;
  /** A refresh token was refused for good: whether its client may be told so, or has to wait. */
  takeRefusedExchange(address: string): Taking;
  /** For one new socket: what comes of each frame. */
  meterFrames(): () => Taking;
}

/** How the calls of one limiter are counted. */
interface CallLimit {
  readonly what: Limited;
  readonly limiter: Limiter;
  readonly keyOf: (origin: CallOrigin) => string;
}

const TAKEN: Taking = { kind: "taken" };
const NOTHING: Taken = { giveBack: () => undefined };

/** Limits at some rates; `report` hears of each refusal. */
export function createLimits(rates: LimitRates, clock: Clock, report: (what: Limited) => void): Limits {
  const sockets = new Limiter(clock, rates.sockets, rates.allSockets);
  const exchanges = new Limiter(clock, rates.refusedExchanges, rates.allRefusedExchanges);
  const anonymousBytes = new Limiter(clock, rates.anonymousBytes);
  const bytes = new Limiter(clock, rates.bytes);
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
  const ofAddress = ({ address }: CallOrigin): string => addressKey(address);
  const ofAccount = (origin: CallOrigin): string => origin.accountId ?? ofAddress(origin);
  const byLimiter: Readonly<Record<MethodPolicy["limiter"], CallLimit | undefined>> = {
    none: undefined,
    login: { what: "login", limiter: new Limiter(clock, rates.logins, rates.allLogins), keyOf: ofAddress },
    message: { what: "message", limiter: new Limiter(clock, rates.messages), keyOf: ofAccount },
    call: { what: "call", limiter: new Limiter(clock, rates.calls), keyOf: ofAccount },
    // The chat service counts those that are admitted, in the database.
    report: { what: "report", limiter: new Limiter(clock, rates.reports), keyOf: ofAccount },
  };
  return {
    takeSocket: (address) => refusal("socket", sockets.take(addressKey(address))),
    takeCall: (name, origin) => {
      const limit = byLimiter[name];
      if (limit === undefined) {
        return NOTHING;
      }
      const { what, limiter, keyOf } = limit;
      const key = keyOf(origin);
      const refused = refusal(what, limiter.take(key));
      if (refused !== undefined) {
        throw refused;
      }
      return { giveBack: () => limiter.give(key) };
    },
    takeAnonymousBytes: (address, count) => refusal("bytes", anonymousBytes.take(addressKey(address), count)),
    takeBytes: (address, count) => refusal("bytes", bytes.take(addressKey(address), count)),
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
    takeAnonymousBytes: () => undefined,
    takeBytes: () => undefined,
    takeCall: () => NOTHING,
    takeRefusedExchange: () => TAKEN,
    meterFrames: () => () => TAKEN,
  };
}
