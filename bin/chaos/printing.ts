import type { LedgerReport } from "../../services/chat/ledger/report.ts";
import { detailsOf, wordsOf } from "./fault.ts";
import type { ChaosPlan } from "./plan.ts";
import type { Outcome, PastFault } from "./run-schedule.ts";
import type { Verdict } from "./verdict.ts";

const LABEL_WIDTH = 16;

/** What a run is, with the seed that replays it. */
export function headline({ seed, faults, people, counts, urls }: ChaosPlan): string {
  const { gateway, chat, account, mongod } = counts;
  const system =
    urls.length > 0 ? urls.join(", ") : `${gateway} gateways, ${chat} chat and ${account} account copies, ${mongod} database servers`;
  return `seed ${seed}: ${faults} faults, ${people} people, ${system}`;
}

/** A fault that is past: when it was, what and whom it hit, what came of it. */
export function lineOfFault({ injectedAtMs, fault, target, outcome }: PastFault): string {
  const asked = wordsOf(target).join(" ");
  const victim = "victim" in outcome && outcome.victim !== asked ? `${asked} (${outcome.victim})` : asked;
  const what = [fault.kind, ...detailsOf(fault)].join(" ");
  return `${seconds(injectedAtMs).padStart(8)}  ${what.padEnd(20)} ${victim.padEnd(20)} ${wordsOfOutcome(outcome)}`;
}

/** The figures of a verdict, a line each, what is wrong by name, and what the ledger of the database counts. */
export function linesOfVerdict(verdict: Verdict, ledger: LedgerReport | undefined): readonly string[] {
  const counts = Object.entries(ledger?.counts ?? {}).map(([name, value]) => [`ledger ${name}`, value] as const);
  const rows = [...Object.entries(verdict), ...counts].map(([name, value]) => [
    name,
    typeof value === "number" ? value : JSON.stringify(value),
  ]);
  return rows.map(([name, value]) => `${String(name).padEnd(LABEL_WIDTH)}  ${value}`);
}

function wordsOfOutcome(outcome: Outcome): string {
  if ("skipped" in outcome) {
    return `skipped: ${outcome.skipped}`;
  }
  return "readyAfterMs" in outcome
    ? `ready again after ${seconds(outcome.readyAfterMs)}`
    : `not ready after ${seconds(outcome.notReadyAfterMs)}`;
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
