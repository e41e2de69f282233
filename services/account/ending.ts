import { SallyportError, unavailable } from "../../platform/errors.ts";
import type { AccountContext } from "./context.ts";

/** Ends a session of an account, also one that has ended. @throws SallyportError NOT_FOUND when the account has none of that id. */
export async function endSession(context: AccountContext, sessionId: string, accountId: string, deadline: number): Promise<void> {
  switch (await context.revocations.end(sessionId, accountId, deadline)) {
    case "ended":
      tellGateways(context, accountId, [sessionId]);
      return;
    case "tooLate":
      throw unavailable("the deadline has passed", "REVOCATION_TOO_LATE");
    case "unknown":
      throw new SallyportError("NOT_FOUND", "the account has no such session", { reason: "SESSION_NOT_FOUND" });
  }
}

/**
 * Tells every connected gateway that sessions have ended. It is written in the database by then, where gateways that are not connected read it.
 * The access tokens of an ended session are not valid from that write on; their records go with the sockets.
 */
export function tellGateways({ gateways, events }: AccountContext, accountId: string, sessionIds: readonly string[]): void {
  for (const sessionId of sessionIds) {
    events.sessionEnded(accountId, sessionId);
  }
  // After the answer to the call that ends them: it may be on a socket of theirs, which the gateway closes at once.
  setImmediate(() => {
    for (const gateway of gateways) {
      for (const sessionId of sessionIds) {
        gateway.revoke(sessionId);
      }
    }
  });
}
