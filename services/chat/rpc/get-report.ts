import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { EvidenceMessage, GetReportRequest, GetReportResponse } from "../../../proto/gen/sallyport/chat/v1/moderation.ts";
import type { Sealer } from "../at-rest/sealer.ts";
import type { ChatContext } from "../context.ts";
import type { ReportedMessageDocument } from "../store/schema.ts";
import { reportNotFound } from "./report-not-found.ts";
import { toWireReport } from "./to-wire-report.ts";

/** A report with its conversation, whose receipts were verified when it was filed. */
export function getReport({ reports, sealer }: ChatContext): Handler<GetReportRequest, GetReportResponse> {
  return async ({ reportId }) => {
    const report = await reports.find(parseUuid(reportId));
    if (report === undefined) {
      throw reportNotFound();
    }
    const messages = await Promise.all(report.messages.map((message) => toEvidence(message, sealer)));
    const reportedAccounts = await Promise.all(
      report.reportedIds.map(async (accountId) => ({ accountId, distinctReporters: await reports.countReporters(accountId) })),
    );

    return { report: toWireReport(report), messages, reportedAccounts, note: report.note ?? "" };
  };
}

async function toEvidence(
  { messageId, senderId, recipientId, sentAt, sealed }: ReportedMessageDocument,
  sealer: Sealer,
): Promise<EvidenceMessage> {
  const body = sealed === undefined ? Buffer.alloc(0) : await sealer.open(messageId, sealed);
  return { messageId, senderAccountId: senderId, recipientAccountId: recipientId, sentAt, body };
}
