import { openDatabase } from "../../platform/mongo.ts";
import { isConsistent, type LedgerReport } from "../../services/chat/ledger/report.ts";
import { verifyLedger } from "../../services/chat/ledger/verify.ts";

/** The ledger of a whole database, when all is quiet: what it counts, and what is wrong with it. */
export interface CheckedLedger {
  readonly report: LedgerReport;
  readonly wrong: readonly string[];
}

/** Checks the ledger of a system's database against its inboxes, and against how many messages its clients know to be accepted. What a crash left half done is repaired and is no fault. */
export async function checkLedger(mongodbUri: string, accepted: number, stop: AbortSignal): Promise<CheckedLedger> {
  await using database = openDatabase(mongodbUri, "chat");
  const report = await verifyLedger(database.db, { signal: stop });
  return { report, wrong: wrongInLedger(report, accepted) };
}

/** What is wrong with the ledger of a system where all is quiet, of which clients know so many messages to be accepted. */
export function wrongInLedger(report: LedgerReport, accepted: number): readonly string[] {
  const { pending, delivered, expired, deleted } = report.counts;
  const known = pending + delivered + expired + deleted;
  const wrong = [
    { is: known < accepted, what: `the ledger holds ${known} messages, and ${accepted} were accepted` },
    { is: report.unanswered > 0, what: `${report.unanswered} pending messages of the ledger have no body` },
    { is: !isConsistent(report), what: `the ledger is not consistent: ${JSON.stringify(report.faults)}` },
  ];
  return wrong.flatMap(({ is, what }) => (is ? [what] : []));
}
