import { SallyportError, unavailable } from "../../../platform/errors.ts";
import { parseUuid } from "../../../platform/ids.ts";
import { type Call, callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { AttachRequest, AttachResponse } from "../../../proto/gen/sallyport/chat/v1/delivery.ts";
import type { ChatContext } from "../context.ts";
import { landGone } from "../delivery/landing.ts";
import { gatewayOf } from "./gateway-of.ts";

/** A new epoch for a socket. Nothing is pushed and nobody is displaced before it is activated. */
export function attach({ inboxes, inbox: messages, presence }: ChatContext): Handler<AttachRequest, AttachResponse> {
  return async ({ connection, inFlightMessageIds, queueEmptied }, call) => {
    const gateway = gatewayOf(call);
    const inbox = inboxes.of(callerOf(call).accountId);

    return inbox.hold(() =>
      inbox.attachments.run(async () => {
        const epoch = await presence.claimEpoch(inbox.accountId, call.deadline);
        if (!inboxes.isConnected(gateway)) {
          throw unavailable("the gateway's stream has ended", "GATEWAY_LEFT");
        }
        inboxes.note(gateway, inbox.accountId);
        inbox.handle({ kind: "attached", gateway, connection, epoch, inFlight: inFlightMessageIds.map(parseUuid), queueEmptied });
        try {
          // Only once it is attached: what is acknowledged from here on is seen.
          await landGone(inbox, epoch, messages);
          requireWaiting(call);
        } catch (error) {
          inbox.handle({ kind: "detached", incarnation: gateway.incarnation, connection, epoch });
          throw error;
        }
        return { epoch };
      }),
    );
  };
}

/** A gateway that has given up knows no epoch to detach. */
function requireWaiting({ signal, deadline }: Call): void {
  if (signal.aborted || Date.now() >= deadline) {
    throw new SallyportError("CANCELLED", "the gateway waits no longer", { reason: "CANCELLED" });
  }
}
