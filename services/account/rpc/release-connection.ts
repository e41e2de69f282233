import type { Handler } from "../../../platform/rpc/call.ts";
import type { ReleaseConnectionRequest, ReleaseConnectionResponse } from "../../../proto/gen/sallyport/account/v1/token.ts";
import type { AccountContext } from "../context.ts";

/** TokenService.ReleaseConnection. */
export function releaseConnection({ grants }: AccountContext): Handler<ReleaseConnectionRequest, ReleaseConnectionResponse> {
  return async ({ grantIds }) => {
    await grants.release(grantIds);

    return {};
  };
}
