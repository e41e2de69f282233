import type { Handlers } from "../../../platform/rpc/call.ts";
import type { ChatServiceRpcs, DeliveryServiceRpcs } from "../../../proto/gen/policy/services.ts";
import type { ChatContext } from "../context.ts";
import { acknowledge } from "./acknowledge.ts";
import { activate } from "./activate.ts";
import { attach } from "./attach.ts";
import { blockAccount } from "./block-account.ts";
import { credit } from "./credit.ts";
import { detach } from "./detach.ts";
import { getMessageStates } from "./get-message-states.ts";
import { listBlockedAccounts } from "./list-blocked-accounts.ts";
import { listPending } from "./list-pending.ts";
import { reportMessages } from "./report-messages.ts";
import { sendMessage } from "./send-message.ts";
import { unblockAccount } from "./unblock-account.ts";

/** The calls of apps. */
export function chatHandlers(context: ChatContext): Handlers<ChatServiceRpcs> {
  return {
    sendMessage: sendMessage(context),
    listPending: listPending(context),
    ackMessages: acknowledge(context),
    getMessageStates: getMessageStates(context),
    blockAccount: blockAccount(context),
    unblockAccount: unblockAccount(context),
    listBlockedAccounts: listBlockedAccounts(context),
    reportMessages: reportMessages(context),
  };
}

/** The calls of gateways about sockets. */
export function deliveryHandlers(context: ChatContext): Handlers<DeliveryServiceRpcs> {
  return {
    attach: attach(context),
    activate: activate(context),
    detach: detach(context),
    acknowledge: acknowledge(context),
    credit: credit(context),
  };
}
