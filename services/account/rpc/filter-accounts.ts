import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { FilterAccountsRequest, FilterAccountsResponse } from "../../../proto/gen/sallyport/account/v1/directory.ts";
import type { AccountContext } from "../context.ts";

/** DirectoryService.FilterAccounts. Answers in lower case. */
export function filterAccounts({ accounts }: AccountContext): Handler<FilterAccountsRequest, FilterAccountsResponse> {
  return async (request) => {
    const asked = request.accountIds.map(parseUuid);

    return { accountIds: [...(await accounts.filter(asked))] };
  };
}
