import { addDatabaseGauge } from "../../platform/database-gauge.ts";
import type { Logger } from "../../platform/logger.ts";
import { Metrics } from "../../platform/metrics.ts";
import type { SecurityEventType } from "../../proto/gen/sallyport/account/v1/account.ts";
import type { ServiceName } from "../../proto/method.ts";
import type { FetchFault } from "./identity/fetch-document.ts";
import type { RefusalCause } from "./identity/refusal.ts";
import type { Outcome } from "./tokens/family.ts";

/** What was decided about a session, when by the clock of the database, and the address of the client that asked (empty: an operator asked). */
export interface SessionDecision {
  readonly accountId: string;
  readonly sessionId: string;
  readonly address: string;
  readonly at: Date;
}

/** What happens in the account service, a function for each. */
export interface AccountEvents {
  accountCreated(accountId: string): void;
  /** A login with such a credential has its tokens. Counted only. */
  loginAnswered(credential: Credential): void;
  loggedIn(login: SessionDecision): void;
  /** What a presentation of a refresh token came to. Counted only. */
  refreshTokenJudged(judgement: JudgementName): void;
  refreshTokenRotated(exchange: SessionDecision, service: ServiceName): void;
  refreshTokenReused(theft: SessionDecision, service: ServiceName): void;
  /** By its owner or an operator. */
  sessionRevoked(end: SessionDecision): void;
  accountLocked(accountId: string): void;
  accountUnlocked(accountId: string): void;
  /** Security events that could not be kept for the owners of their accounts; what they tell of is done. */
  securityEventsLost(count: number, cause: unknown): void;
  identityLinked(accountId: string): void;
  accountDeleted(accountId: string): void;
  /** Nothing is left of a deleted account but its id. */
  accountErased(accountId: string): void;
  /** What a lock or a deletion has still to do could not be done yet. */
  followUpFailed(accountId: string, cause: unknown): void;
  /** An ID token of a provider was no good; the token is not told. */
  idTokenRefused(provider: string, refusal: RefusalCause): void;
  /** The keys of a provider could not be fetched. */
  providerKeysMissed(provider: string, fault: FetchFault, cause: unknown): void;
  databaseAwaited(): void;
  indexesAwaited(): void;
  databaseMigrated(version: number): void;
  databaseUp(): void;
  databaseDown(): void;
  sweepFailed(cause: unknown): void;
}

/** What a login shows. */
export type Credential = "dev" | "oidc";

/** What a refresh token is found to be: nothing that we made, one of a session that is over, or what its family says. */
export type JudgementName = "foreign" | "ended" | Outcome["kind"];

const CREDENTIALS: Readonly<Record<Credential, true>> = { dev: true, oidc: true };

const JUDGEMENTS: Readonly<Record<JudgementName, true>> = {
  ...{ foreign: true, ended: true, unknown: true, expired: true },
  ...{ minted: true, promoted: true, repeated: true, justRetired: true, reused: true },
};

const REFUSALS: Readonly<Record<RefusalCause, true>> = {
  ...{ malformed: true, algorithm: true, key: true, signature: true, type: true, expired: true },
  ...{ iss: true, aud: true, azp: true, sub: true, exp: true, iat: true, nbf: true, nonce: true },
};

/** Events that become lines of a log and counts. */
export function createEvents(logger: Logger, metrics: Metrics = new Metrics()): AccountEvents {
  const lost = metrics.counter("sallyport_security_events_lost_total", "Security events that could not be kept.");
  const failures = metrics.counter("sallyport_account_failures_total", "What failed and is tried again.", { what: ["follow-up", "sweep"] });
  const showReachable = addDatabaseGauge(metrics);
  return {
    ...sessionEvents(logger, metrics),
    ...accountEvents(logger, metrics),
    ...identityEvents(logger, metrics),
    securityEventsLost: (count, cause) => {
      logger.error({ count, err: cause }, "security events lost");
      lost.add(count);
    },
    followUpFailed: (accountId, cause) => {
      logger.warn({ accountId, err: cause }, "follow-up failed");
      failures.add(1, "follow-up");
    },
    databaseAwaited: () => logger.warn("waiting for the database"),
    indexesAwaited: () => logger.info("building indexes"),
    databaseMigrated: (version) => logger.info({ version }, "database migrated"),
    databaseUp: () => {
      logger.info("database up");
      showReachable(true);
    },
    databaseDown: () => {
      logger.error("database down");
      showReachable(false);
    },
    sweepFailed: (cause) => {
      logger.warn({ err: cause }, "sweep failed");
      failures.add(1, "sweep");
    },
  };
}

type SessionEvents = Pick<
  AccountEvents,
  "loginAnswered" | "loggedIn" | "refreshTokenJudged" | "refreshTokenRotated" | "refreshTokenReused" | "sessionRevoked"
>;

function sessionEvents(logger: Logger, metrics: Metrics): SessionEvents {
  const logins = metrics.counter("sallyport_logins_total", "Logins, by what was shown.", { credential: Object.keys(CREDENTIALS) });
  const judgements = metrics.counter("sallyport_judgements_total", "Refresh tokens that were presented, by what they were found to be.", {
    judgement: Object.keys(JUDGEMENTS),
  });
  const rotations = metrics.counter("sallyport_rotations_total", "Refresh tokens that got a successor.");
  const reuses = metrics.counter("sallyport_reuses_total", "Sessions that ended because a retired refresh token was presented.");
  const revocations = metrics.counter("sallyport_revocations_total", "Sessions that their owner or an operator ended.");
  return {
    loginAnswered: (credential) => logins.add(1, credential),
    loggedIn: (login) => logger.info(securityFields("LOGIN", login), "logged in"),
    refreshTokenJudged: (judgement) => judgements.add(1, judgement),
    refreshTokenRotated: (exchange, service) => {
      logger.info({ ...securityFields("ROTATION", exchange), service }, "refresh token rotated");
      rotations.add(1);
    },
    refreshTokenReused: (theft, service) => {
      logger.warn({ ...securityFields("REUSE", theft), service }, "refresh token reused");
      reuses.add(1);
    },
    sessionRevoked: (end) => {
      logger.info(securityFields("REVOCATION", end), "session revoked");
      revocations.add(1);
    },
  };
}

const CHANGES = ["created", "locked", "unlocked", "deleted", "erased"];

type LifeEvents = Pick<AccountEvents, "accountCreated" | "accountLocked" | "accountUnlocked" | "accountDeleted" | "accountErased">;

function accountEvents(logger: Logger, metrics: Metrics): LifeEvents {
  const changes = metrics.counter("sallyport_account_changes_total", "What became of accounts.", { change: CHANGES });
  return {
    accountCreated: (accountId) => {
      logger.info({ accountId }, "account created");
      changes.add(1, "created");
    },
    accountLocked: (accountId) => {
      logger.warn({ securityEvent: "LOCK", accountId }, "account locked");
      changes.add(1, "locked");
    },
    accountUnlocked: (accountId) => {
      logger.warn({ accountId }, "account unlocked");
      changes.add(1, "unlocked");
    },
    accountDeleted: (accountId) => {
      logger.info({ accountId }, "account deleted");
      changes.add(1, "deleted");
    },
    accountErased: (accountId) => {
      logger.info({ accountId }, "account erased");
      changes.add(1, "erased");
    },
  };
}

function identityEvents(logger: Logger, metrics: Metrics): Pick<AccountEvents, "identityLinked" | "idTokenRefused" | "providerKeysMissed"> {
  const linked = metrics.counter("sallyport_identities_linked_total", "Identities that were added to an account.");
  const refusals = metrics.counter("sallyport_id_tokens_refused_total", "ID tokens that were no good, by why.", {
    cause: Object.keys(REFUSALS),
  });
  const missed = metrics.counter("sallyport_provider_keys_missed_total", "Fetches of a provider's keys that failed.");
  return {
    identityLinked: (accountId) => {
      logger.info({ accountId }, "identity linked");
      linked.add(1);
    },
    idTokenRefused: (provider, refusal) => {
      logger.warn({ provider, refusal }, "id token refused");
      refusals.add(1, refusal);
    },
    providerKeysMissed: (provider, fault, cause) => {
      logger.error({ provider, fault, err: cause }, "provider keys not fetched");
      missed.add(1);
    },
  };
}

/** Every line of a security event has these: an operator's stream is what carries `securityEvent`. */
function securityFields(securityEvent: keyof typeof SecurityEventType, { accountId, sessionId, address }: SessionDecision): object {
  return { securityEvent, accountId, sessionId, ...(address === "" ? {} : { address }) };
}
