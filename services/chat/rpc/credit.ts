import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { CreditRequest, CreditResponse } from "../../../proto/gen/sallyport/chat/v1/delivery.ts";
import type { ChatContext } from "../context.ts";

/** Bytes have left the gateway: room for as many. */
export function credit({ inboxes }: ChatContext): Handler<CreditRequest, CreditResponse> {
  return ({ connection, epoch, bytes }, call) => {
    inboxes.find(callerOf(call).accountId)?.handle({ kind: "credited", connection, epoch, bytes });
    return {};
  };
}
