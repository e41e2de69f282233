import type { Metrics } from "../../../platform/metrics.ts";
import type { LedgerCounts } from "../store/ledger.ts";
import { FAULT_KINDS } from "./faults.ts";
import type { LedgerReport } from "./report.ts";

/** What a copy knows of the ledger: as it counted and checked it last itself. */
export interface LedgerState {
  /** Undefined: another copy counts it at present. */
  counted: { readonly counts: LedgerCounts; readonly oldestPendingSeconds: number } | undefined;
  /** Undefined: another copy checks it at present. */
  report: LedgerReport | undefined;
  /** When this copy checked it last, in milliseconds since the epoch. */
  verifiedAt: number | undefined;
}

const EVERYWHERE = "Of the whole database, shown by the copy that counts it: take the max over copies, not the sum.";

/** Shows a ledger. Reading asks nobody: rounds keep the state fresh. */
export function addLedgerGauges(metrics: Metrics, state: LedgerState): void {
  metrics.gauge("sallyport_ledger_messages", `Messages that the ledger knows, by state. ${EVERYWHERE}`, ["state"], () =>
    Object.entries(state.counted?.counts ?? {}).map(([name, count]) => [count, name]),
  );
  metrics.gauge("sallyport_ledger_accepted", `Messages that the ledger knows in any state. ${EVERYWHERE}`, [], () =>
    state.counted ? [[sum(state.counted.counts)]] : [],
  );
  metrics.gauge("sallyport_ledger_oldest_pending_seconds", `For how long the message waits that waits longest. ${EVERYWHERE}`, [], () =>
    state.counted ? [[state.counted.oldestPendingSeconds]] : [],
  );
  metrics.gauge(
    "sallyport_ledger_faults",
    "What contradicted in ledger and inboxes and was not repaired, at the last check; of the copy that checks.",
    ["kind"],
    () => (state.report ? FAULT_KINDS.map((kind) => [state.report?.faults[kind].left ?? 0, kind] as const) : []),
  );
  metrics.gauge("sallyport_ledger_verified_timestamp_seconds", "When this copy last checked ledger against inboxes.", [], () =>
    state.verifiedAt === undefined ? [] : [[state.verifiedAt / 1_000]],
  );
}

function sum({ pending, delivered, expired, deleted }: LedgerCounts): number {
  return pending + delivered + expired + deleted;
}
