import { SallyportError } from "../../../platform/errors.ts";
import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { EvidenceMessage, GetReportRequest, GetReportResponse } from "../../../proto/gen/sallyport/chat/v1/moderation.ts";
import type { ChatContext } from "../context.ts";
import type { ReportedMessageDocument } from "../store/schema.ts";
import { reportNotFound } from "./report-not-found.ts";
import { toWireReport } from "./to-wire-report.ts";

/** A report with its conversation, whose receipts were verified when it was filed. A body that cannot be opened holds up none of the others. */
export function getReport(context: ChatContext): Handler<GetReportRequest, GetReportResponse> {
  const { reports } = context;
  return async ({ reportId }) => {
    const report = await reports.find(parseUuid(reportId));
    if (report === undefined) {
      throw reportNotFound();
    }
    const messages = await Promise.all(report.messages.map((message) => toEvidence(message, context)));
    const reportedAccounts = await Promise.all(
      report.reportedIds.map(async (accountId) => ({ accountId, distinctReporters: await reports.countReporters(accountId) })),
    );

    return { report: toWireReport(report), messages, reportedAccounts, note: report.note ?? "" };
  };
}

async function toEvidence(
  { messageId, senderId, recipientId, sentAt, sealed }: ReportedMessageDocument,
  { sealer, events }: ChatContext,
): Promise<EvidenceMessage> {
  const message = { messageId, senderAccountId: senderId, recipientAccountId: recipientId, sentAt };
  try {
    const body = sealed === undefined ? Buffer.alloc(0) : await sealer.open(messageId, sealed);
    return { ...message, body, unreadable: false };
  } catch (error) {
    if (error instanceof SallyportError) {
      throw error;
    }
    events.bodyUnreadable(messageId, error);
    return { ...message, body: Buffer.alloc(0), unreadable: true };
  }
}
