import { SallyportError, unavailable } from "../../platform/errors.ts";
import type { AccountContext } from "./context.ts";
import { endSessions } from "./ending.ts";
import type { ClosedAccount, NotClosed } from "./store/closings.ts";

/** Ends the sessions of an account that is locked, and so the follow-up of the lock. Repeating it, also in parallel, is fine. */
export async function finishLock(context: AccountContext, account: ClosedAccount, deadline: number): Promise<void> {
  const { _id: accountId, lockedAt } = account;
  await endSessions(context, { accountId, reason: "lock", address: "", deadline });
  if (lockedAt !== undefined) {
    await context.audit.locked(accountId, lockedAt);
  }
  await context.closings.reschedule(account, undefined);
}

/** What is answered when an account cannot be closed. */
export function notClosed(why: NotClosed): SallyportError {
  switch (why) {
    case "gone":
      return accountNotFound();
    case "locked":
      return accountLocked();
    case "tooLate":
      return unavailable("the deadline has passed", "CLOSING_TOO_LATE");
  }
}

/** There is no such account, or it is deleted. */
export function accountNotFound(): SallyportError {
  return new SallyportError("NOT_FOUND", "there is no such account", { reason: "ACCOUNT_NOT_FOUND" });
}

/** An operator locked the account. */
export function accountLocked(): SallyportError {
  return new SallyportError("PERMISSION_DENIED", "the account is locked", { reason: "ACCOUNT_LOCKED" });
}
