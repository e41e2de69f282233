import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { EndSessionsRequest, EndSessionsResponse } from "../../../proto/gen/sallyport/account/v1/admin.ts";
import { accountNotFound } from "../closing.ts";
import type { AccountContext } from "../context.ts";
import { endSessions as end } from "../ending.ts";

/** AdminService.EndSessions. */
export function endSessions(context: AccountContext): Handler<EndSessionsRequest, EndSessionsResponse> {
  return async (request, { deadline }) => {
    const accountId = parseUuid(request.accountId);
    if ((await context.accounts.find(accountId)) === null) {
      throw accountNotFound();
    }

    await end(context, { accountId, reason: "operator", address: "", deadline });

    return {};
  };
}
