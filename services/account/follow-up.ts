import type { ChatErasure } from "./chat-erasure.ts";
import { finishLock } from "./closing.ts";
import type { AccountContext } from "./context.ts";
import { endSessions } from "./ending.ts";
import { CLAIM_MS, type ClosedAccount } from "./store/closings.ts";
import type { FollowUp } from "./store/schema.ts";

/**
 * When a deleted account is erased, in milliseconds after its deletion: at once; after chat copies have stopped to believe that it exists
 * (5 s), before its messages must be gone (10 s); and once more for what was under way and took long.
 */
export const ROUNDS_MS: readonly number[] = [0, 6_000, 60_000];

const LOOK_EVERY_MS = 500;
const MAX_AT_ONCE = 16;
const LEAST_WAIT_MS = 500;
const MOST_WAIT_MS = 30_000;

/** Does what locks and deletions have still to do, whoever began them, until it is done. */
export function followUpAccounts(context: AccountContext, chat: ChatErasure): AsyncDisposable {
  const underWay = new Set<Promise<void>>();
  const take = async (): Promise<boolean> => {
    const account = underWay.size < MAX_AT_ONCE ? await context.closings.takeDue() : null;
    if (account !== null) {
      const round = followUp(context, chat, account).finally(() => underWay.delete(round));
      underWay.add(round);
    }
    return account !== null;
  };

  const rounds = startLooking(LOOK_EVERY_MS, take);
  return {
    [Symbol.asyncDispose]: async () => {
      await rounds[Symbol.asyncDispose]();
      await Promise.all(underWay);
    },
  };
}

/** Does one round of a follow-up that was taken up. Never rejects: what could not be done is taken up again. */
export async function followUp(context: AccountContext, chat: ChatErasure, account: ClosedAccount): Promise<void> {
  try {
    // The claim lapses then, by the clock of the database: who wakes later ends no session of an account that was unlocked since.
    const deadline = account.followUp.dueAt.getTime();
    await (account.deletedAt === undefined ? finishLock(context, account, deadline) : erase(context, chat, account, deadline));
  } catch (error) {
    context.events.followUpFailed(account._id, error);
    // Without this it is taken up when the claim lapses.
    await context.closings.reschedule(account, putOff(account)).catch(() => undefined);
  }
}

async function erase(context: AccountContext, chat: ChatErasure, account: ClosedAccount, deadline: number): Promise<void> {
  const accountId = account._id;
  // Sessions that were being made or judged when the account was deleted take themselves back, unless their process died.
  await endSessions(context, { accountId, reason: "deletion", address: "", deadline });
  const stores = [context.sessions, context.grants, context.securityEvents, chat];
  await Promise.all(stores.map((store) => store.erase(accountId)));

  const next = nextRound(account);
  await context.closings.reschedule(account, next);
  if (next === undefined) {
    context.events.accountErased(accountId);
  }
}

/** The round after one that went well. */
function nextRound({ deletedAt, followUp: { rounds } }: ClosedAccount): FollowUp | undefined {
  const after = ROUNDS_MS[rounds + 1];
  return deletedAt && after !== undefined ? { dueAt: new Date(deletedAt.getTime() + after), rounds: rounds + 1 } : undefined;
}

/** The same round again: soon, and more and more seldom the longer it cannot be done. */
function putOff({ deletedAt, lockedAt, followUp: { dueAt, rounds } }: ClosedAccount): FollowUp {
  const takenAt = dueAt.getTime() - CLAIM_MS;
  const age = takenAt - (deletedAt ?? lockedAt ?? dueAt).getTime();
  return { dueAt: new Date(takenAt + Math.min(Math.max(age / 10, LEAST_WAIT_MS), MOST_WAIT_MS)), rounds };
}

/** Takes what is due, one after the other, as long as there is something; then looks again in a while. */
function startLooking(everyMs: number, take: () => Promise<boolean>): AsyncDisposable {
  let look: Promise<void> | undefined;
  let isStopping = false;
  const lookOnce = async (): Promise<void> => {
    while (!isStopping && (await take())) {
      // There may be more.
    }
  };
  const timer = setInterval(() => {
    // That the database cannot be asked is said by its watch.
    look ??= lookOnce()
      .catch(() => undefined)
      .finally(() => {
        look = undefined;
      });
  }, everyMs);
  return {
    [Symbol.asyncDispose]: async () => {
      isStopping = true;
      clearInterval(timer);
      await look;
    },
  };
}
