import { GroupCommit } from "../../platform/group-commit.ts";
import { newUuid } from "../../platform/ids.ts";
import { SecurityEventType } from "../../proto/gen/sallyport/account/v1/account.ts";
import type { ServiceName } from "../../proto/method.ts";
import type { AccountEvents, SessionDecision } from "./events.ts";
import type { SecurityEventDocument } from "./store/schema.ts";
import type { SecurityEvents } from "./store/security-events.ts";

/**
 * The security events: kept for the owner of the account, and a line of the log for the operator, once each. The decision is written before
 * its event. An event that cannot be written changes nothing about the decision: the log says so, and nothing is rejected.
 */
export interface Audit {
  loggedIn(login: SessionDecision): Promise<void>;
  rotated(exchange: SessionDecision, service: ServiceName): Promise<void>;
  reused(theft: SessionDecision, service: ServiceName): Promise<void>;
  revoked(end: SessionDecision): Promise<void>;
  locked(accountId: string, at: Date): Promise<void>;
}

interface Entry {
  readonly event: SecurityEventDocument;
  readonly announce: () => void;
}

/** Events that are kept in a store, all that are queued in one write. */
export function createAudit(store: SecurityEvents, events: AccountEvents): Audit {
  const entries = new GroupCommit<Entry, undefined>(async (batch) => {
    const areNew = await store.add(batch.map(({ event }) => event)).catch((cause: unknown) => {
      events.securityEventsLost(batch.length, cause);
      return batch.map(() => true);
    });
    for (const { announce } of batch.filter((_entry, index) => areNew[index])) {
      announce();
    }
    return batch.map(() => undefined);
  });

  return {
    loggedIn: (login) => entries.add(entryOf("LOGIN", `${login.sessionId} login`, login, events.loggedIn)),
    rotated: (exchange, service) =>
      entries.add(entryOf("ROTATION", newUuid(), exchange, (decision) => events.refreshTokenRotated(decision, service))),
    reused: (theft, service) =>
      entries.add(entryOf("REUSE", `${theft.sessionId} reuse`, theft, (decision) => events.refreshTokenReused(decision, service))),
    revoked: (end) => entries.add(entryOf("REVOCATION", `${end.sessionId} revocation`, end, events.sessionRevoked)),
    locked: (accountId, occurredAt) => {
      const _id = `${accountId} lock ${occurredAt.getTime()}`;
      const event = { _id, accountId, type: SecurityEventType.LOCK, occurredAt };
      return entries.add({ event, announce: () => events.accountLocked(accountId) });
    },
  };
}

function entryOf(
  type: keyof typeof SecurityEventType,
  _id: string,
  decision: SessionDecision,
  announce: (decision: SessionDecision) => void,
): Entry {
  const { accountId, sessionId, address, at: occurredAt } = decision;
  const event = { _id, accountId, type: SecurityEventType[type], occurredAt, sessionId };
  return { event: address === "" ? event : { ...event, address }, announce: () => announce(decision) };
}
