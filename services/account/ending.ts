import { SallyportError, unavailable } from "../../platform/errors.ts";
import type { AccountContext } from "./context.ts";
import type { EndedSession, SessionsEnding } from "./store/revocations.ts";

/** Whose sessions end, why, until when that is wanted, and the address of the client that asked (empty: an operator asked). */
export interface Ending extends SessionsEnding {
  readonly address: string;
}

/** Ends a session of an account, also one that has ended. @throws SallyportError NOT_FOUND when the account has none of that id. */
export async function endSession(context: AccountContext, sessionId: string, ending: Ending): Promise<void> {
  const end = await context.revocations.end(sessionId, ending);
  switch (end) {
    case "tooLate":
      throw tooLate();
    case "unknown":
      throw new SallyportError("NOT_FOUND", "the account has no such session", { reason: "SESSION_NOT_FOUND" });
  }
  await tell(context, [end], ending);
}

/** Ends the sessions of an account, all but one where one is named. @throws SallyportError UNAVAILABLE when some may live on. */
export async function endSessions(context: AccountContext, ending: Ending, except?: string): Promise<void> {
  const ended = await context.revocations.endAll(ending, except);
  // Before the deadline after it: the deadline kept none of it from being done.
  const isDone = (await context.revocations.now()) < ending.deadline;
  await tell(context, ended, ending);
  if (!isDone) {
    throw tooLate();
  }
}

/**
 * Tells every connected gateway that sessions have ended. It is written in the database by then, where gateways that are not connected read it.
 * The access tokens of an ended session are not valid from that write on; their records go with the sockets.
 */
export function tellGateways({ gateways }: AccountContext, sessionIds: readonly string[]): void {
  // After the answer to the call that ends them: it may be on a socket of theirs, which the gateway closes at once.
  setImmediate(() => {
    for (const gateway of gateways) {
      for (const sessionId of sessionIds) {
        gateway.revoke(sessionId);
      }
    }
  });
}

/** A revocation is an event of its own; theft, locks and deletions are told of as what they are. */
async function tell(context: AccountContext, ended: readonly EndedSession[], { accountId, address }: Ending): Promise<void> {
  const revoked = ended.filter(({ reason }) => reason === "logout" || reason === "operator");
  await Promise.all(revoked.map(({ sessionId, at }) => context.audit.revoked({ accountId, sessionId, address, at })));
  tellGateways(
    context,
    ended.map(({ sessionId }) => sessionId),
  );
}

function tooLate(): SallyportError {
  return unavailable("the deadline has passed", "REVOCATION_TOO_LATE");
}
