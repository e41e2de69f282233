import type { ChatContext } from "./context.ts";
import type { InboxActor } from "./delivery/inbox-actor.ts";

type Stores = Pick<ChatContext, "sends" | "inbox" | "presence" | "blocks" | "reports" | "now">;

/** One operation of the database names at most so many messages or accounts. */
const BATCH = 1_000;
/** What another copy still brings for a deleted account comes within this time, with room to spare. */
const LATE_MS = 3_600_000;

/**
 * Removes what there is of a deleted account: what waits for it, where it is attached, its blocks and those of it, and what is
 * personal in the reports that it filed. Repeating it is fine. The account service must not know the account any more.
 */
export async function eraseAccount(context: ChatContext, accountId: string): Promise<void> {
  const { directory, erasures, inboxes, reportBuckets, events, now } = context;
  // First of all: whoever stores something for it from here on is found by the rounds of all copies.
  await erasures.add(accountId, now());
  directory.doubt(accountId);
  await comeToRest(inboxes.of(accountId));
  const ended = await eraseStored(context, [accountId]);
  await reportBuckets?.remove(accountId);
  events.accountErased(ended);
}

/** Removes what came for deleted accounts since, from a copy that still believed in them. Repeat it every few seconds. */
export async function finishErasures(context: Stores & Pick<ChatContext, "erasures" | "events">): Promise<void> {
  const accountIds = await context.erasures.findSince(context.now() - LATE_MS);
  for (let start = 0; start < accountIds.length; start += BATCH) {
    const ended = await eraseStored(context, accountIds.slice(start, start + BATCH));
    if (ended > 0) {
      context.events.lateMessagesErased(ended);
    }
  }
}

/** Everything that this copy had accepted for the account is in the database: what lingers, and the sends that came before. */
function comeToRest(inbox: InboxActor): Promise<void> {
  return inbox.hold(() =>
    inbox.sends.run(() => {
      inbox.handle({ kind: "abandoned" });
      return inbox.settled();
    }),
  );
}

/** Answers how many messages it ended. */
async function eraseStored({ sends, inbox, presence, blocks, reports, now }: Stores, accountIds: readonly string[]): Promise<number> {
  let ended = 0;
  for (;;) {
    const waiting = await inbox.findKeys(accountIds, BATCH);
    if (waiting.length === 0) {
      break;
    }
    // The ledger first: a body without a pending claim is removed by whoever meets it.
    const ids = waiting.map(({ id }) => id);
    ended += (await sends.erase(ids, now())).size;
    await inbox.remove(waiting);
  }
  await presence.removeAll(accountIds);
  await blocks.removeAll(accountIds);
  await reports.anonymise(accountIds);
  return ended;
}
