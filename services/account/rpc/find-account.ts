import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { FindAccountRequest, FindAccountResponse } from "../../../proto/gen/sallyport/account/v1/admin.ts";
import { accountNotFound } from "../closing.ts";
import type { AccountContext } from "../context.ts";
import type { AccountDocument } from "../store/schema.ts";

/** AdminService.FindAccount. */
export function findAccount(context: AccountContext): Handler<FindAccountRequest, FindAccountResponse> {
  return async ({ key }) => {
    const account = await find(context, key);
    if (account === null) {
      throw accountNotFound();
    }

    const { _id: accountId, createdAt, lockedAt } = account;
    return { accountId, createdAt, locked: lockedAt !== undefined, sessionCount: await context.sessions.count(accountId) };
  };
}

async function find({ accounts }: AccountContext, key: FindAccountRequest["key"]): Promise<AccountDocument | null> {
  switch (key?.$case) {
    case "accountId":
      return accounts.find(parseUuid(key.value));
    case "devName":
      return accounts.findByDevName(key.value);
    case undefined:
      return null;
  }
}
