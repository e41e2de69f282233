import type { LeaseServiceRpcs } from "../../proto/gen/policy/services.ts";
import { parseUuid } from "../ids.ts";
import type { Leases } from "../leases.ts";
import type { Handlers } from "./call.ts";

/** LeaseService, which every service offers to gateways. */
export function leaseHandlers(leases: Leases): Handlers<LeaseServiceRpcs> {
  return {
    renewLease: async ({ incarnation }) => {
      await leases.renew(parseUuid(incarnation));
      return {};
    },
    endLease: async ({ incarnation }) => {
      await leases.end(parseUuid(incarnation));
      return {};
    },
  };
}
