import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { ListSessionsRequest, ListSessionsResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { AccountContext } from "../context.ts";

/** AccountService.ListSessions. */
export function listSessions({ sessions }: AccountContext): Handler<ListSessionsRequest, ListSessionsResponse> {
  return async (_request, call) => {
    const caller = callerOf(call);

    const live = await sessions.list(caller.accountId);

    return {
      sessions: live.map(({ _id: sessionId, createdAt, lastSeenAt, client }) => ({
        sessionId,
        createdAt,
        lastSeenAt,
        current: sessionId === caller.sessionId,
        client,
      })),
    };
  };
}
