import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { DeleteAccountRequest, DeleteAccountResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import { notClosed } from "../closing.ts";
import type { AccountContext } from "../context.ts";
import { endSessions } from "../ending.ts";

/** AccountService.DeleteAccount. Answers once the account is gone and its sessions have ended; what they leave behind goes in the follow-up. */
export function deleteAccount(context: AccountContext): Handler<DeleteAccountRequest, DeleteAccountResponse> {
  return async (_request, call) => {
    const { accountId } = callerOf(call);
    const { address, deadline } = call;

    const closed = await context.closings.bury(accountId, deadline);
    if (closed === "locked" || closed === "tooLate") {
      throw notClosed(closed);
    }
    // Of an account that is gone already the call that did it may have failed half-way.
    if (closed !== "gone") {
      context.events.accountDeleted(accountId);
    }
    await endSessions(context, { accountId, reason: "deletion", address, deadline });

    return {};
  };
}
