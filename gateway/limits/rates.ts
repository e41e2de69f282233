import type { Values, Variable } from "../../platform/env.ts";
import { parseRate, type Rate } from "../../platform/rate.ts";

/** The variables that set the limits, by name. */
export type LimitVariables = {
  readonly GATEWAY_LIMIT_LOGINS: Variable<Rate>;
  readonly GATEWAY_LIMIT_ALL_LOGINS: Variable<Rate>;
  readonly GATEWAY_LIMIT_SOCKETS: Variable<Rate>;
  readonly GATEWAY_LIMIT_ALL_SOCKETS: Variable<Rate>;
  readonly GATEWAY_LIMIT_REFUSED_EXCHANGES: Variable<Rate>;
  readonly GATEWAY_LIMIT_ALL_REFUSED_EXCHANGES: Variable<Rate>;
  readonly GATEWAY_LIMIT_ANONYMOUS_BYTES: Variable<Rate>;
  readonly GATEWAY_LIMIT_BYTES: Variable<Rate>;
  readonly GATEWAY_LIMIT_MESSAGES: Variable<Rate>;
  readonly GATEWAY_LIMIT_CALLS: Variable<Rate>;
  readonly GATEWAY_LIMIT_REPORTS: Variable<Rate>;
  readonly GATEWAY_LIMIT_FRAMES: Variable<Rate>;
};

/** The variables that set the limits. What all clients together may do is more than one gateway can serve of honest ones. */
export const limitVariables: LimitVariables = {
  GATEWAY_LIMIT_LOGINS: inProcess("10/minute burst 20", "logins of one client address"),
  GATEWAY_LIMIT_ALL_LOGINS: inProcess("500/second burst 10000", "logins of all clients together"),
  GATEWAY_LIMIT_SOCKETS: inProcess("60/minute burst 120", "new sockets of one client address"),
  GATEWAY_LIMIT_ALL_SOCKETS: inProcess("5000/second burst 100000", "new sockets of all clients together"),
  GATEWAY_LIMIT_REFUSED_EXCHANGES: inProcess("10/minute burst 20", "refused exchanges of one client address"),
  GATEWAY_LIMIT_ALL_REFUSED_EXCHANGES: inProcess("1000/second burst 20000", "refused exchanges of all clients together"),
  GATEWAY_LIMIT_ANONYMOUS_BYTES: inProcess("1048576/second burst 33554432", "bytes of one client address in calls that need no token"),
  GATEWAY_LIMIT_BYTES: inProcess("8388608/second burst 268435456", "bytes of one client address in calls that need a token"),
  GATEWAY_LIMIT_MESSAGES: inProcess("20/second burst 100", "messages of one account"),
  GATEWAY_LIMIT_CALLS: inProcess("50/second burst 200", "other calls of one account"),
  GATEWAY_LIMIT_REPORTS: inProcess("10/minute burst 40", "reports of one account, before any is read (CHAT_LIMIT_REPORTS is exact)"),
  GATEWAY_LIMIT_FRAMES: inProcess("2000/second burst 20000", "frames of one socket, pings too"),
};

/** What a gateway limits: of each address, each account, each socket, or of all clients together. */
export interface LimitRates {
  readonly logins: Rate;
  readonly allLogins: Rate;
  readonly sockets: Rate;
  readonly allSockets: Rate;
  readonly refusedExchanges: Rate;
  readonly allRefusedExchanges: Rate;
  /** In bytes. */
  readonly anonymousBytes: Rate;
  /** In bytes. */
  readonly bytes: Rate;
  readonly messages: Rate;
  readonly calls: Rate;
  readonly reports: Rate;
  readonly frames: Rate;
}

/** The limits that the variables set. */
export function limitRates(values: Values<LimitVariables>): LimitRates {
  return {
    logins: values.GATEWAY_LIMIT_LOGINS,
    allLogins: values.GATEWAY_LIMIT_ALL_LOGINS,
    sockets: values.GATEWAY_LIMIT_SOCKETS,
    allSockets: values.GATEWAY_LIMIT_ALL_SOCKETS,
    refusedExchanges: values.GATEWAY_LIMIT_REFUSED_EXCHANGES,
    allRefusedExchanges: values.GATEWAY_LIMIT_ALL_REFUSED_EXCHANGES,
    anonymousBytes: values.GATEWAY_LIMIT_ANONYMOUS_BYTES,
    bytes: values.GATEWAY_LIMIT_BYTES,
    messages: values.GATEWAY_LIMIT_MESSAGES,
    calls: values.GATEWAY_LIMIT_CALLS,
    reports: values.GATEWAY_LIMIT_REPORTS,
    frames: values.GATEWAY_LIMIT_FRAMES,
  };
}

function inProcess(rate: string, what: string): Variable<Rate> {
  return { default: rate, meaning: `${what}, counted in this process`, parse: parseRate };
}
