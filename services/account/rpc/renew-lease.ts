import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { RenewLeaseRequest, RenewLeaseResponse } from "../../../proto/gen/sallyport/relay/v1/relay.ts";
import type { AccountContext } from "../context.ts";

/** LeaseService.RenewLease. */
export function renewLease({ leases }: AccountContext): Handler<RenewLeaseRequest, RenewLeaseResponse> {
  return async ({ incarnation }) => {
    await leases.renew(parseUuid(incarnation));

    return {};
  };
}
