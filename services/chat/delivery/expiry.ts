import type { Inbox } from "../store/inbox.ts";
import { LIFETIME_MS, type Sends } from "../store/sends.ts";

const BATCH = 500;

/**
 * Ends what nobody took within its lifetime, by this clock and the database's, and removes the bodies: the ledger first. A body whose claim
 * waits still stays. Answers how many messages it ended. Repeat it now and then.
 */
export async function sweepExpired(sends: Sends, inbox: Inbox, now: number): Promise<number> {
  let ended = 0;
  for (;;) {
    const due = await inbox.findAcceptedBefore(now - LIFETIME_MS, BATCH);
    if (due.length === 0) {
      break;
    }
    const expired = await sends.expire(
      due.map(({ id }) => id),
      now,
    );
    const waiting = await sends.findPending(due.filter(({ id }) => !expired.has(id)));
    const over = due.filter(({ id }) => !waiting.has(id));
    await inbox.discard(over);
    ended += expired.size;
    if (over.length === 0) {
      break;
    }
  }
  for (;;) {
    const claims = await sends.expireDue(now, BATCH);
    ended += claims;
    if (claims === 0) {
      return ended;
    }
  }
}
