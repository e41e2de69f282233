import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { ListSecurityEventsRequest, ListSecurityEventsResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { AccountContext } from "../context.ts";

/** AccountService.ListSecurityEvents. */
export function listSecurityEvents({ securityEvents }: AccountContext): Handler<ListSecurityEventsRequest, ListSecurityEventsResponse> {
  return async (_request, call) => {
    const { accountId } = callerOf(call);

    const events = await securityEvents.list(accountId);

    return { events: events.map(({ type, occurredAt, sessionId = "", address = "" }) => ({ type, occurredAt, sessionId, address })) };
  };
}
