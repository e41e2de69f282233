import { setTimeout as sleep } from "node:timers/promises";
import type { Db } from "../../../platform/mongo.ts";
import { UNANSWERED_MS } from "../delivery/claim-age.ts";
import { Inbox } from "../store/inbox.ts";
import { Ledger } from "../store/ledger.ts";
import { Sends } from "../store/sends.ts";
import { type Bounds, faultsOf } from "./faults.ts";
import { type Faulty, type Repairing, repair } from "./repair.ts";
import { type LedgerReport, Tally } from "./report.ts";
import { findSuspects, type Looked } from "./suspects.ts";

/** How a ledger is checked. */
export interface VerifyOptions {
  /** Whether what is found is repaired. Default: it is. */
  readonly repairs?: boolean;
  /** Whether a repair gives up claims without a body. Only where no copy runs of a version that did not confirm old claims. Default: it does. */
  readonly givesUp?: boolean;
  /** What looks wrong is looked at again after so long, and is a fault only then. */
  readonly graceMs?: number;
  /** How old a claim without a body must be to be a fault. Less than the default only where no process serves that was not started since. */
  readonly unansweredMs?: number;
  /** How long after its end a message may still wait for the sweep. */
  readonly marginMs?: number;
  /** How the messages of all states are counted for the report. Default: exactly. */
  readonly counting?: "exact" | "estimated";
  /** Default: the clock of the database. */
  readonly now?: () => number | Promise<number>;
  /** Ends the check, which then rejects. */
  readonly signal?: AbortSignal;
}

const GRACE_MS = 5_000;
const MARGIN_MS = 300_000;
/** Suspects are kept in memory up to this many, then judged. */
const MAX_SUSPECTS = 10_000;
/** One question to the database names at most so many messages. */
const CHUNK = 1_000;

/** Checks the ledger of a chat database against its inboxes while traffic flows, repairs what a crash left half done, and reports. */
export async function verifyLedger(db: Db, options: VerifyOptions = {}): Promise<LedgerReport> {
  const ledger = new Ledger(db);
  const parts = { ledger, sends: new Sends(db), inbox: new Inbox(db) };
  const boundsNow = async (): Promise<Bounds> => ({
    now: await (options.now ?? (() => ledger.now()))(),
    unansweredMs: options.unansweredMs ?? UNANSWERED_MS,
    marginMs: options.marginMs ?? MARGIN_MS,
  });
  const [tally, looked, suspects] = [new Tally(), { claims: 0, bodies: 0, unanswered: 0 } satisfies Looked, new Set<string>()];

  const judge = async (): Promise<void> => {
    await sleep(suspects.size > 0 ? (options.graceMs ?? GRACE_MS) : 0, undefined, options.signal && { signal: options.signal });
    for (const ids of chunksOf([...suspects])) {
      await judgeAll(ids, parts, await boundsNow(), tally, options);
    }
    suspects.clear();
  };
  for await (const ids of findSuspects(ledger, await boundsNow(), looked)) {
    options.signal?.throwIfAborted();
    ids.forEach((id) => void suspects.add(id));
    if (suspects.size >= MAX_SUSPECTS) {
      await judge();
    }
  }
  await judge();
  return { ...looked, counts: await ledger.count(options.counting ?? "exact"), faults: tally.counts() };
}

async function judgeAll(ids: readonly string[], parts: Repairing, bounds: Bounds, tally: Tally, options: VerifyOptions): Promise<void> {
  const { repairs = true, givesUp = true } = options;
  const faulty = await findFaulty(ids, parts.ledger, bounds);
  for (const { id, faults } of faulty) {
    tally.find(faults, id);
  }
  if (repairs) {
    await repair(faulty, parts, bounds, givesUp);
  }
  const found = new Map(faulty.map(({ id, faults }) => [id, faults]));
  for (const { id, faults } of repairs ? await findFaulty([...found.keys()], parts.ledger, bounds) : faulty) {
    tally.leave(
      faults.filter((kind) => found.get(id)?.includes(kind)),
      id,
    );
  }
}

async function findFaulty(ids: readonly string[], ledger: Ledger, bounds: Bounds): Promise<readonly Faulty[]> {
  // Bodies first: a claim is made before its body.
  const bodies = await ledger.findBodies(ids);
  const claims = await ledger.findClaims(ids);
  return ids
    .map((id) => ({ id, claim: claims.get(id), bodies: bodies.filter((body) => body.id === id) }))
    .map((evidence) => ({ ...evidence, faults: faultsOf(evidence, bounds) }))
    .filter(({ faults }) => faults.length > 0);
}

function chunksOf(ids: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(ids.length / CHUNK) }, (_, index) => ids.slice(index * CHUNK, (index + 1) * CHUNK));
}
