import type { Inbox } from "../store/inbox.ts";
import { LIFETIME_MS, type Sends } from "../store/sends.ts";

const BATCH = 500;

/** Ends what nobody took within its lifetime, and removes the bodies: the ledger first. Answers how many messages it ended. Repeat it now and then. */
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
    await inbox.discard(due);
    ended += expired.size;
  }
  for (;;) {
    const claims = await sends.expireDue(now, BATCH);
    ended += claims;
    if (claims < BATCH) {
      return ended;
    }
  }
}
