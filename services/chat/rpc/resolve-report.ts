import { SallyportError } from "../../../platform/errors.ts";
import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import { Resolution, type ResolveReportRequest, type ResolveReportResponse } from "../../../proto/gen/sallyport/chat/v1/moderation.ts";
import type { ChatContext } from "../context.ts";
import { reportNotFound } from "./report-not-found.ts";

/** Resolves a report once: of two moderators one decides, and the note is that one's. */
export function resolveReport({ reports, events, now }: ChatContext): Handler<ResolveReportRequest, ResolveReportResponse> {
  return async ({ reportId, resolution: wanted, note }) => {
    const id = parseUuid(reportId);
    const resolution = wanted === Resolution.REJECTED ? "rejected" : "accepted";

    const resolved = await reports.resolve(id, { resolution, note, resolvedAt: new Date(now()) });

    if (resolved === undefined) {
      throw reportNotFound();
    }
    if (resolved.resolution !== resolution) {
      throw new SallyportError("FAILED_PRECONDITION", "the report is resolved otherwise", { reason: "REPORT_RESOLVED_OTHERWISE" });
    }
    if (resolved.isFirst) {
      events.reportResolved(id, resolution);
    }
    return {};
  };
}
