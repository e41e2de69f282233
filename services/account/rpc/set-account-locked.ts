import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { SetAccountLockedRequest, SetAccountLockedResponse } from "../../../proto/gen/sallyport/account/v1/admin.ts";
import { accountNotFound, finishLock, notClosed } from "../closing.ts";
import type { AccountContext } from "../context.ts";

/** AdminService.SetAccountLocked. */
export function setAccountLocked(context: AccountContext): Handler<SetAccountLockedRequest, SetAccountLockedResponse> {
  return async (request, { deadline }) => {
    const accountId = parseUuid(request.accountId);

    await (request.locked ? lock : unlock)(context, accountId, deadline);

    return {};
  };
}

async function lock(context: AccountContext, accountId: string, deadline: number): Promise<void> {
  const closed = await context.closings.lock(accountId, deadline);
  if (typeof closed === "string") {
    throw notClosed(closed);
  }
  await finishLock(context, closed, deadline);
}

async function unlock(context: AccountContext, accountId: string, deadline: number): Promise<void> {
  const account = await context.accounts.find(accountId);
  if (account === null) {
    throw accountNotFound();
  }
  const { lockedAt, followUp } = account;
  if (lockedAt === undefined) {
    return;
  }
  if (followUp !== undefined) {
    // A lock whose call failed half-way may have left sessions, which unlocking must not revive.
    await finishLock(context, { ...account, followUp }, deadline);
  }
  await context.closings.unlock(accountId, lockedAt);
  context.events.accountUnlocked(accountId);
}
