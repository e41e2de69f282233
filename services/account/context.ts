import type { Clock } from "../../platform/clock.ts";
import type { KeyRing } from "../../platform/keys.ts";
import { Leases } from "../../platform/leases.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Db } from "../../platform/mongo.ts";
import type { GatewayPeer } from "../../platform/rpc/call.ts";
import type { AccountConfig } from "./config.ts";
import { type AccountEvents, createEvents } from "./events.ts";
import { isSettling, type Settling, seenUp, unsettled } from "./settling.ts";
import { type Accounts, createAccounts } from "./store/accounts.ts";
import { createGrants, type Grants } from "./store/grants.ts";
import { createRevocations, type Revocations } from "./store/revocations.ts";
import { createSessions, type Sessions } from "./store/sessions.ts";
import type { TimeShift } from "./store/time.ts";
import { createTokenKeys, type TokenKeys } from "./token-keys.ts";

/** What the RPCs of the account service work with. */
export interface AccountContext {
  readonly config: Pick<AccountConfig, "debug" | "devLogin" | "reuseGraceMs">;
  readonly keys: TokenKeys;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly grants: Grants;
  readonly revocations: Revocations;
  readonly leases: Leases;
  readonly leaseWatch: LeaseWatch;
  /** The gateways whose relay streams stand. */
  readonly gateways: Set<GatewayPeer>;
  readonly events: AccountEvents;
  readonly clock: Clock;
}

/** Whether a lapsed lease says something about its holder yet. */
export interface LeaseWatch {
  readonly isSettling: boolean;
  /** The database was just seen up. */
  seenUp(): void;
}

/** Builds the context over an open database. `shift` moves the time that tokens are judged by. */
export function createContext(
  config: AccountContext["config"],
  ring: KeyRing,
  db: Db,
  logger: Logger,
  shift: TimeShift = () => 0,
): AccountContext {
  return {
    config,
    keys: createTokenKeys(ring),
    accounts: createAccounts(db),
    sessions: createSessions(db, config.reuseGraceMs, shift),
    grants: createGrants(db),
    revocations: createRevocations(db),
    leases: new Leases(db),
    leaseWatch: createLeaseWatch(),
    gateways: new Set(),
    events: createEvents(logger),
    clock: () => Date.now() + shift(),
  };
}

function createLeaseWatch(): LeaseWatch {
  let state: Settling = unsettled;
  return {
    get isSettling(): boolean {
      return isSettling(state, performance.now());
    },
    seenUp: () => {
      state = seenUp(state, performance.now());
    },
  };
}
