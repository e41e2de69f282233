import { invalidArgument } from "../../../platform/errors.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import { type ListReportsRequest, type ListReportsResponse, ReportState } from "../../../proto/gen/sallyport/chat/v1/moderation.ts";
import type { ChatContext } from "../context.ts";
import { decodePageToken, encodePageToken, type ListedState } from "../reports/page-token.ts";
import type { ReportPlace } from "../store/reports.ts";
import { toWireReport } from "./to-wire-report.ts";

const DEFAULT_PAGE_SIZE = 50;
const STATES: ReadonlyMap<number, ListedState> = new Map<number, ListedState>([
  [ReportState.UNSPECIFIED, undefined],
  [ReportState.OPEN, "open"],
  [ReportState.RESOLVED, "resolved"],
]);

/** What was reported, the newest first, without the evidence. */
export function listReports({ reports }: ChatContext): Handler<ListReportsRequest, ListReportsResponse> {
  return async ({ state, pageSize, pageToken }) => {
    const listed = readState(state);
    const after = readPageToken(pageToken, listed);
    const size = pageSize || DEFAULT_PAGE_SIZE;

    // One more than fits, to know whether there are more.
    const found = await reports.list(listed, after, size + 1);

    const shown = found.slice(0, size);
    const last = found.length > size ? shown.at(-1) : undefined;
    const nextPageToken = last ? encodePageToken(listed, { createdAt: last.createdAt.getTime(), reportId: last._id }) : "";
    return { reports: shown.map(toWireReport), nextPageToken };
  };
}

function readState(state: number): ListedState {
  if (!STATES.has(state)) {
    throw invalidArgument([{ field: "state", description: "must be a declared value" }]);
  }
  return STATES.get(state);
}

function readPageToken(pageToken: string, state: ListedState): ReportPlace | undefined {
  if (pageToken === "") {
    return undefined;
  }
  const place = decodePageToken(pageToken, state);
  if (place === undefined) {
    throw invalidArgument([{ field: "pageToken", description: "must be the nextPageToken of a list of the same state" }]);
  }
  return place;
}
