import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { RenewLeaseRequest, RenewLeaseResponse } from "../../../proto/gen/sallyport/relay/v1/relay.ts";
import type { ChatContext } from "../context.ts";

/** A gateway goes on. */
export function renewLease({ leases }: ChatContext): Handler<RenewLeaseRequest, RenewLeaseResponse> {
  return async ({ incarnation }) => {
    await leases.renew(parseUuid(incarnation));
    return {};
  };
}
