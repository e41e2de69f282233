import { type Report, ReportState, Resolution } from "../../../proto/gen/sallyport/chat/v1/moderation.ts";
import type { ReportHeading } from "../store/reports.ts";

const STATES = { open: ReportState.OPEN, resolved: ReportState.RESOLVED } as const;
const RESOLUTIONS = { accepted: Resolution.ACCEPTED, rejected: Resolution.REJECTED } as const;

/** A report as a moderator sees it in a list. */
export function toWireReport({ _id, reporterId, reason, createdAt, state, resolution, messageCount }: ReportHeading): Report {
  return {
    reportId: _id,
    reporterAccountId: reporterId,
    reason,
    createdAt,
    state: STATES[state],
    resolution: resolution ? RESOLUTIONS[resolution] : Resolution.UNSPECIFIED,
    messageCount,
  };
}
