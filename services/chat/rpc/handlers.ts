import type { Handlers } from "../../../platform/rpc/call.ts";
import type {
  ChatServiceRpcs,
  DeliveryServiceRpcs,
  ErasureServiceRpcs,
  ModerationServiceRpcs,
} from "../../../proto/gen/policy/services.ts";
import type { ChatContext } from "../context.ts";
import { acknowledge } from "./acknowledge.ts";
import { activate } from "./activate.ts";
import { attach } from "./attach.ts";
import { blockAccount } from "./block-account.ts";
import { credit } from "./credit.ts";
import { detach } from "./detach.ts";
import { eraseAccount } from "./erase-account.ts";
import { getMessageStates } from "./get-message-states.ts";
import { getReport } from "./get-report.ts";
import { listBlockedAccounts } from "./list-blocked-accounts.ts";
import { listPending } from "./list-pending.ts";
import { listReports } from "./list-reports.ts";
import { reportMessages } from "./report-messages.ts";
import { resolveReport } from "./resolve-report.ts";
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

/** The calls of operators about reports. */
export function moderationHandlers(context: ChatContext): Handlers<ModerationServiceRpcs> {
  return {
    listReports: listReports(context),
    getReport: getReport(context),
    resolveReport: resolveReport(context),
  };
}

/** The calls of the account service about accounts that are deleted. */
export function erasureHandlers(context: ChatContext): Handlers<ErasureServiceRpcs> {
  return { eraseAccount: eraseAccount(context) };
}
