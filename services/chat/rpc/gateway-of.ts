import { SallyportError } from "../../../platform/errors.ts";
import type { Call, GatewayPeer } from "../../../platform/rpc/call.ts";

/** The gateway that a call came from. @throws FAILED_PRECONDITION for a plain unary call: there is no stream for its events. */
export function gatewayOf({ gateway }: Call): GatewayPeer {
  if (gateway === undefined) {
    throw new SallyportError("FAILED_PRECONDITION", "the call has to come on a relay stream", { reason: "RELAY_REQUIRED" });
  }
  return gateway;
}
