import type { Metrics } from "../../../platform/metrics.ts";
import type { Db } from "../../../platform/mongo.ts";
import type { ChatContext } from "../context.ts";
import type { Round } from "../rounds.ts";
import { Ledger } from "../store/ledger.ts";
import { addLedgerGauges, type LedgerState } from "./gauges.ts";
import { verifyLedger } from "./verify.ts";

/** How often the ledger is counted and checked, in milliseconds. */
export interface LedgerTimes {
  readonly countMs?: number;
  readonly verifyMs?: number;
  readonly graceMs?: number;
}

type Parts = Pick<ChatContext, "copy" | "leases" | "events" | "now"> & { readonly db: Db; readonly metrics: Metrics };

const COUNT_MS = 30_000;
const VERIFY_MS = 300_000;
/** Of all copies the one checks the ledger that has this lease, for as long as a check is due. */
const LEASE = "verify";
/** The one counts it that has this lease: the same for as long as it goes on. */
const COUNT_LEASE = "count";

/** The rounds that count the ledger and check it against the inboxes, each by one copy; its gauges show what they find. */
export function ledgerRounds(parts: Parts, { countMs = COUNT_MS, verifyMs = VERIFY_MS, graceMs }: LedgerTimes = {}): readonly Round[] {
  const state: LedgerState = { counted: undefined, report: undefined, verifiedAt: undefined };
  addLedgerGauges(parts.metrics, state);
  return [
    { name: "count", everyMs: countMs, run: () => count(parts, state, countMs) },
    { name: "verify", everyMs: verifyMs, run: (stopping) => verify(parts, state, verifyMs, stopping, graceMs) },
  ];
}

async function count({ db, copy, leases, now }: Parts, state: LedgerState, countMs: number): Promise<void> {
  if (!(await leases.take(COUNT_LEASE, copy, 2 * countMs))) {
    state.counted = undefined;
    return;
  }
  const ledger = new Ledger(db);
  const [counts, oldest] = await Promise.all([ledger.count("estimated"), ledger.findOldestPending()]);
  state.counted = { counts, oldestPendingSeconds: oldest === undefined ? 0 : Math.max(0, now() - oldest) / 1_000 };
}

async function verify(
  { db, copy, leases, events, now }: Parts,
  state: LedgerState,
  verifyMs: number,
  signal: AbortSignal,
  graceMs: number | undefined,
): Promise<void> {
  if (!(await leases.take(LEASE, copy, verifyMs))) {
    state.report = undefined;
    return;
  }
  // Copies of older versions may run beside this one: what rests on no answer is given up by the command only.
  const options = { givesUp: false, now, signal, counting: "estimated", ...(graceMs === undefined ? {} : { graceMs }) } as const;
  state.report = await verifyLedger(db, options);
  state.verifiedAt = now();
  events.ledgerVerified(state.report);
}
