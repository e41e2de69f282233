import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { ConfirmRefreshTokenRequest, ConfirmRefreshTokenResponse } from "../../../proto/gen/sallyport/account/v1/token.ts";
import type { AccountContext } from "../context.ts";
import { parseServiceName } from "../service-name.ts";

/** TokenService.ConfirmRefreshToken. OK as well for what was confirmed before, and for a session that has ended. */
export function confirmRefreshToken({ sessions }: AccountContext): Handler<ConfirmRefreshTokenRequest, ConfirmRefreshTokenResponse> {
  return async ({ sessionId, service, generation }) => {
    const confirmation = { sessionId: parseUuid(sessionId), service: parseServiceName(service), generation };

    await sessions.confirm(confirmation);

    return {};
  };
}
