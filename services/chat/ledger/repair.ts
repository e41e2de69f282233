import { sweepExpired } from "../delivery/expiry.ts";
import type { Inbox } from "../store/inbox.ts";
import type { Ledger } from "../store/ledger.ts";
import type { Sends } from "../store/sends.ts";
import { type Bounds, belongsTo, type Evidence, type FaultKind } from "./faults.ts";

/** What is mended, and with what. */
export interface Repairing {
  readonly ledger: Ledger;
  readonly sends: Sends;
  readonly inbox: Inbox;
}

/** A message that something is wrong with. */
export interface Faulty extends Evidence {
  readonly id: string;
  readonly faults: readonly FaultKind[];
}

/**
 * Mends messages while others send, acknowledge and repeat them. A claim and its body belong together by id and time of acceptance, and
 * that time is never used for a claim again once it was given up. So two rules are enough, and no lock:
 *
 * - OK rests on a claim that was made before its body, and that is old only if it was confirmed by a write after the body was in
 *   (`custody.ts`). A claim without a body is given up only when it was so old that OK would need that write, before the body was looked
 *   for, and only as it was read then. A confirmation that came first has changed it, so the removal fails; one that comes later fails,
 *   and the message is claimed anew, with a new time. So every copy has to confirm: none may run that is of a version which did not.
 * - A body is removed only when the claim of its time is ended or gone, and only that body. Its claim was there before it, so an absent
 *   one was given up for good, ended so long ago that it is forgotten, or was not restored with the body: it does not come again. The body
 *   of a new claim has another time and stays. A process that was paused between claim and body until the claim had been given up wakes to
 *   a body of this kind.
 *
 * What is overdue is ended as the sweep ends it: the ledger first.
 */
export async function repair(
  faulty: readonly Faulty[],
  { ledger, sends, inbox }: Repairing,
  bounds: Bounds,
  givesUp: boolean,
): Promise<void> {
  const having = (...kinds: readonly FaultKind[]): readonly Faulty[] =>
    faulty.filter(({ faults }) => faults.some((fault) => kinds.includes(fault)));

  await ledger.date(having("claim-without-date").map(({ id }) => id));
  const stray = faulty.flatMap(({ claim, bodies }) => bodies.filter((body) => !belongsTo(body, claim)));
  const claimed = await sends.findPending(stray);
  await inbox.discard(stray.filter(({ id }) => !claimed.has(id)));
  if (givesUp) {
    await ledger.giveUp(
      having("claim-without-body").flatMap(({ claim }) => claim ?? []),
      bounds.unansweredMs,
    );
  }
  if (having("overdue-body", "overdue-claim").length > 0) {
    await sweepExpired(sends, inbox, bounds.now);
  }
}
