import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { EndLeaseRequest, EndLeaseResponse } from "../../../proto/gen/sallyport/relay/v1/relay.ts";
import type { ChatContext } from "../context.ts";

/** A gateway stops. */
export function endLease({ leases }: ChatContext): Handler<EndLeaseRequest, EndLeaseResponse> {
  return async ({ incarnation }) => {
    await leases.end(parseUuid(incarnation));
    return {};
  };
}
