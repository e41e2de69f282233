import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { DetachRequest, DetachResponse } from "../../../proto/gen/sallyport/chat/v1/delivery.ts";
import type { ChatContext } from "../context.ts";
import { gatewayOf } from "./gateway-of.ts";

/** The socket has closed. Of an older epoch it does nothing; of a candidate it leaves the events where they are. */
export function detach({ inboxes, presence, wakes }: ChatContext): Handler<DetachRequest, DetachResponse> {
  return async ({ connection, epoch }, call) => {
    const { incarnation } = gatewayOf(call);
    const inbox = inboxes.of(callerOf(call).accountId);

    await inbox.hold(async () => {
      const hasMoved = await inbox.attachments.run(async () => {
        const wasAttached = inbox.state.current?.epoch === epoch;
        inbox.handle({ kind: "detached", incarnation, connection, epoch });
        const wasCurrent = await presence.giveUp(inbox.accountId, epoch);
        return wasAttached && !wasCurrent;
      });
      if (hasMoved) {
        // What was pushed here in vain meanwhile waits elsewhere: told while the gateway still has a stream to this copy.
        await inbox.settled();
        await wakes.send(inbox);
      }
    });
    return {};
  };
}
