import type { Clock } from "../../platform/clock.ts";
import type { KeyRing } from "../../platform/keys/ring.ts";
import { Leases } from "../../platform/leases.ts";
import type { Logger } from "../../platform/logger.ts";
import { Metrics } from "../../platform/metrics.ts";
import type { Db } from "../../platform/mongo.ts";
import type { GatewayPeer } from "../../platform/rpc/call.ts";
import { type Audit, createAudit } from "./audit.ts";
import type { AccountConfig } from "./config.ts";
import { type AccountEvents, createEvents } from "./events.ts";
import { createIdentityProviders, type IdentityProviders } from "./identity/providers.ts";
import type { ProviderSettings } from "./identity/settings.ts";
import { isSettling, type Settling, seenUp, unsettled } from "./settling.ts";
import { type Accounts, createAccounts } from "./store/accounts.ts";
import { type Closings, createClosings } from "./store/closings.ts";
import { createGrants, type Grants } from "./store/grants.ts";
import { createRevocations, type Revocations } from "./store/revocations.ts";
import { createSecurityEvents, type SecurityEvents } from "./store/security-events.ts";
import { createSessions, type Sessions } from "./store/sessions.ts";
import type { TimeShift } from "./store/time.ts";
import { createTokenKeys, type TokenKeys } from "./token-keys.ts";

/** What the RPCs of the account service work with. */
export interface AccountContext {
  readonly config: Pick<AccountConfig, "debug" | "devLogin" | "reuseGraceMs">;
  readonly keys: TokenKeys;
  readonly accounts: Accounts;
  readonly closings: Closings;
  readonly sessions: Sessions;
  readonly grants: Grants;
  readonly revocations: Revocations;
  readonly securityEvents: SecurityEvents;
  readonly audit: Audit;
  readonly leases: Leases;
  readonly leaseWatch: LeaseWatch;
  /** The gateways whose relay streams stand. */
  readonly gateways: Set<GatewayPeer>;
  readonly identityProviders: IdentityProviders;
  readonly events: AccountEvents;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Whether a lapsed lease says something about its holder yet. */
export interface LeaseWatch {
  readonly isSettling: boolean;
  /** The database was just seen up. */
  seenUp(): void;
}

/** Builds the context over an open database, with the providers that log in. `shift` moves the time that tokens are judged by. */
export function createContext(
  config: AccountContext["config"],
  ring: KeyRing,
  providers: readonly ProviderSettings[],
  db: Db,
  logger: Logger,
  shift: TimeShift = () => 0,
  metrics: Metrics = new Metrics(),
): AccountContext {
  const events = createEvents(logger, metrics);
  const clock: Clock = () => Date.now() + shift();
  const securityEvents = createSecurityEvents(db);
  return {
    config,
    keys: createTokenKeys(ring),
    accounts: createAccounts(db, shift),
    closings: createClosings(db),
    sessions: createSessions(db, config.reuseGraceMs, shift),
    grants: createGrants(db),
    revocations: createRevocations(db),
    securityEvents,
    audit: createAudit(securityEvents, events),
    leases: new Leases(db),
    leaseWatch: createLeaseWatch(),
    gateways: new Set(),
    identityProviders: createIdentityProviders(providers, { events, clock, fetch }),
    events,
    metrics,
    clock,
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
