import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { EndLeaseRequest, EndLeaseResponse } from "../../../proto/gen/sallyport/relay/v1/relay.ts";
import type { AccountContext } from "../context.ts";

/** LeaseService.EndLease. */
export function endLease({ leases }: AccountContext): Handler<EndLeaseRequest, EndLeaseResponse> {
  return async ({ incarnation }) => {
    await leases.end(parseUuid(incarnation));

    return {};
  };
}
