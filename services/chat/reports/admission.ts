import { SallyportError } from "../../../platform/errors.ts";
import { type Admit, callerOf, type Implementation } from "../../../platform/rpc/call.ts";
import type { ChatContext } from "../context.ts";
import { DECISIVE, MONTH_MS, suspendedUntil } from "./suspension.ts";

/** The implementations, those of methods under the limiter `report` with the question who may report. */
export function admitReports(context: ChatContext, implementations: readonly Implementation[]): readonly Implementation[] {
  const admit = admitReport(context);
  return implementations.map((one) => (one.method.limiter === "report" ? { ...one, admit } : one));
}

/**
 * Lets those report who may, before a report is read. Fails closed: while the database cannot be asked, nobody may.
 * @throws PERMISSION_DENIED, reason REPORTING_SUSPENDED; RESOURCE_EXHAUSTED, reason RATE_LIMITED.
 */
function admitReport({ reports, reportBuckets, events, now }: ChatContext): Admit {
  return async (call) => {
    const { accountId } = callerOf(call);
    const time = now();
    // A rejection of the last month looks back on a month before it.
    const until = suspendedUntil(await reports.findRejections(accountId, time - 2 * MONTH_MS, DECISIVE), time);
    if (until !== undefined) {
      events.reporterSuspended();
      const facts = { reason: "REPORTING_SUSPENDED", retryAfterMs: until - time };
      throw new SallyportError("PERMISSION_DENIED", "too many of the account's reports were rejected", facts);
    }

    const waitMs = (await reportBuckets?.take(accountId)) ?? 0;
    if (waitMs > 0) {
      events.reportLimited();
      throw new SallyportError("RESOURCE_EXHAUSTED", "too many reports", { reason: "RATE_LIMITED", retryAfterMs: waitMs });
    }
  };
}
