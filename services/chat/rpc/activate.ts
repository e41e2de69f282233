import { SallyportError, unavailable } from "../../../platform/errors.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { ActivateRequest, ActivateResponse } from "../../../proto/gen/sallyport/chat/v1/delivery.ts";
import type { ChatContext } from "../context.ts";
import type { InboxActor } from "../delivery/inbox-actor.ts";
import { isSameSocket } from "../delivery/presence-rules.ts";
import type { Holder } from "../store/schema.ts";
import { gatewayOf } from "./gateway-of.ts";

/** The socket is still open: it has the account's events from here on, the older one is told. */
export function activate(context: ChatContext): Handler<ActivateRequest, ActivateResponse> {
  return async ({ connection, epoch, rank }, call) => {
    const gateway = gatewayOf(call);
    const inbox = context.inboxes.of(callerOf(call).accountId);
    const { incarnation } = gateway;
    const holder: Holder = { incarnation, connection, epoch, copy: context.copy, ...(rank > 0 && rank < epoch && { rank }) };

    return inbox.hold(() => inbox.attachments.run(async () => ({ displaced: !(await takeOver(context, inbox, holder, call.deadline)) })));
  };
}

/** Answers whether it has the events; if not, a newer socket has them. */
async function takeOver(context: ChatContext, inbox: InboxActor, holder: Holder, deadline: number): Promise<boolean> {
  const { presence, hybridClock, wakes } = context;
  const { epoch } = holder;
  if (inbox.state.current?.epoch === epoch) {
    return true;
  }
  requireCandidate(inbox, holder);

  const taken = await presence.takeOver(inbox.accountId, holder, deadline);
  if (taken.kind === "outdated") {
    inbox.handle({ kind: "outdated", epoch, heir: taken.heir });
    return false;
  }
  if (!inbox.state.candidates.has(epoch)) {
    // Its gateway left in the meantime: whoever had the events keeps them.
    await presence.giveUp(inbox.accountId, epoch, taken.previous);
    throw unavailable("the gateway's stream has ended", "GATEWAY_LEFT");
  }
  tellElsewhere(context, inbox, holder, taken.previous);
  inbox.handle({ kind: "activated", epoch, mark: hybridClock.next() });
  wakes.believe(inbox, epoch);
  return true;
}

function requireCandidate({ state }: InboxActor, { epoch, connection, incarnation }: Holder): void {
  const candidate = state.candidates.get(epoch);
  if (candidate?.connection !== connection || candidate.gateway.incarnation !== incarnation) {
    throw new SallyportError("FAILED_PRECONDITION", "no such attachment", { reason: "ATTACHMENT_UNKNOWN" });
  }
}

/** The older socket may be one that another copy delivered to. */
function tellElsewhere({ inboxes }: ChatContext, { state }: InboxActor, holder: Holder, previous: Holder | undefined): void {
  if (previous !== undefined && !isSameSocket(previous, holder) && state.current?.epoch !== previous.epoch) {
    inboxes.gateway(previous.incarnation)?.push(previous.connection, previous.epoch, { kind: { $case: "displaced", value: {} } });
  }
}
