import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { ReleaseConnectionRequest, ReleaseConnectionResponse } from "../../../proto/gen/sallyport/account/v1/token.ts";
import type { AccountContext } from "../context.ts";

/** TokenService.ReleaseConnection. A gateway of the version before names no tokens, only their socket. */
export function releaseConnection({ grants }: AccountContext): Handler<ReleaseConnectionRequest, ReleaseConnectionResponse> {
  return async ({ incarnation, connection, grantIds }) => {
    const tokens = grantIds.length > 0 ? { digests: grantIds } : { incarnation: parseUuid(incarnation), connection };

    await grants.release(tokens);

    return {};
  };
}
