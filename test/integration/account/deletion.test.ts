import { expect } from "chai";
import { followUp, followUpAccounts, ROUNDS_MS } from "../../../services/account/follow-up.ts";
import { deleteAccount } from "../../../services/account/rpc/delete-account.ts";
import { endSessions } from "../../../services/account/rpc/end-sessions.ts";
import { filterAccounts } from "../../../services/account/rpc/filter-accounts.ts";
import { findAccount } from "../../../services/account/rpc/find-account.ts";
import { getAccount } from "../../../services/account/rpc/get-account.ts";
import { login } from "../../../services/account/rpc/login.ts";
import { setAccountLocked } from "../../../services/account/rpc/set-account-locked.ts";
import type { AccountDocument } from "../../../services/account/store/schema.ts";
import {
  type Bench,
  callOf,
  check,
  eventsOf,
  heldUpBefore,
  logIn,
  openBench,
  operatorCall,
  present,
  reasonOf,
  stored,
  told,
} from "./bench.ts";

const TOKEN_REFUSED = "UNAUTHENTICATED REFRESH_TOKEN_REFUSED";
const DAY_MS = 86_400_000;

/** A chat service that notes what it is told to erase, and fails as many times as it is told to. */
function fakeChat(failures = 0): { erased: string[]; erase(accountId: string): Promise<void> } {
  const erased: string[] = [];
  let left = failures;
  return {
    erased,
    erase: async (accountId) => {
      left -= 1;
      if (left >= 0) {
        throw new Error("chat is down");
      }
      erased.push(accountId);
    },
  };
}

async function remove(bench: Pick<Bench, "context">, caller: { accountId: string; sessionId: string }): Promise<void> {
  await deleteAccount(bench.context)({}, callOf(caller));
}

async function accountOf({ db }: Bench, accountId: string): Promise<AccountDocument> {
  return (await db.collection<AccountDocument>("accounts").findOne({ _id: accountId })) ?? expect.fail("no such account");
}

/** Puts off nothing: whatever is to be done some time is due at once. */
async function makeDue({ db }: Bench): Promise<void> {
  await db.collection("accounts").updateMany({ followUp: { $exists: true } }, { $set: { "followUp.dueAt": new Date(0) } });
}

/** Does one round of what is due. */
async function followUpOnce(bench: Bench, chat: { erase(accountId: string): Promise<void> }): Promise<void> {
  const due = await bench.context.closings.takeDue();
  await followUp(bench.context, chat, due ?? expect.fail("nothing is due"));
}

describe("a deleted account", () => {
  it("has no sessions, its tokens are refused, and gateways are told of each", async () => {
    await using bench = await openBench();
    const [first, second, bob] = [await logIn(bench), await logIn(bench), await logIn(bench, "bob")];
    const { accessToken } = await present(bench, first.chat);

    await remove(bench, first);

    expect(await told(bench)).to.have.members([first.sessionId, second.sessionId]);
    expect(await reasonOf(check(bench, accessToken))).to.equal("UNAUTHENTICATED ACCESS_TOKEN_REFUSED");
    expect(await reasonOf(present(bench, second.chat))).to.equal(TOKEN_REFUSED);
    expect(await reasonOf(present(bench, bob.chat))).to.equal("OK");
  });

  it("frees its name for another account, and keeps its id for good", async () => {
    await using bench = await openBench();
    const first = await logIn(bench);

    await remove(bench, first);
    const again = await logIn(bench);

    expect(again.created).to.equal(true);
    expect(again.accountId).to.not.equal(first.accountId);
    expect(await accountOf(bench, first.accountId))
      .to.have.property("deletedAt")
      .that.is.a("date");
    expect(await accountOf(bench, first.accountId)).to.not.have.any.keys("devName", "identities");
  });

  it("is an account to nobody", async () => {
    await using bench = await openBench();
    const { context } = bench;
    const [alice, bob] = [await logIn(bench), await logIn(bench, "bob")];
    const { accountId } = alice;

    await remove(bench, alice);
    const reasons = await Promise.all(
      [
        getAccount(context)({}, callOf(alice)),
        findAccount(context)({ key: { $case: "accountId", value: accountId } }, operatorCall()),
        findAccount(context)({ key: { $case: "devName", value: "alice" } }, operatorCall()),
        setAccountLocked(context)({ accountId, locked: true }, operatorCall()),
        setAccountLocked(context)({ accountId, locked: false }, operatorCall()),
        endSessions(context)({ accountId }, operatorCall()),
      ].map((answer) => reasonOf(Promise.resolve(answer))),
    );

    expect([...new Set(reasons)]).to.deep.equal(["NOT_FOUND ACCOUNT_NOT_FOUND"]);
    const { accountIds } = await filterAccounts(context)({ accountIds: [accountId, bob.accountId] }, callOf());
    expect(accountIds).to.deep.equal([bob.accountId]);
  });

  it("may be deleted again by a call that was made twice", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);

    await Promise.all([remove(bench, alice), remove(bench, alice)]);
    const { deletedAt } = await accountOf(bench, alice.accountId);
    await remove(bench, alice);

    expect((await accountOf(bench, alice.accountId)).deletedAt).to.deep.equal(deletedAt);
  });

  it("takes no login that found it and is held up before its session is written", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);
    const slow = heldUpBefore(bench, "sessions", "add", () => remove(bench, alice));

    const reason = await reasonOf(logIn(slow));

    expect(reason).to.equal("UNAVAILABLE ACCOUNT_JUST_DELETED");
    expect(await bench.db.collection("sessions").countDocuments({ revokedAt: { $exists: false } })).to.equal(0);
    expect((await logIn(bench)).created).to.equal(true);
  });

  it("is not deleted by its owner while it is locked: the name would be free for another account", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);
    await setAccountLocked(bench.context)({ accountId: alice.accountId, locked: true }, operatorCall());

    expect(await reasonOf(remove(bench, alice))).to.equal("PERMISSION_DENIED ACCOUNT_LOCKED");
    expect(await reasonOf(logIn(bench))).to.equal("PERMISSION_DENIED ACCOUNT_LOCKED");
  });

  it("is not deleted after the deadline of the call", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);

    const reason = await reasonOf(Promise.resolve(deleteAccount(bench.context)({}, callOf(alice, Date.now() - 1))));

    expect(reason).to.equal("UNAVAILABLE CLOSING_TOO_LATE");
    expect(await reasonOf(present(bench, alice.chat))).to.equal("OK");
  });
});

describe("what a deleted account leaves behind", () => {
  it("goes: what its sessions say of a person, its access tokens, its security events, what chat holds", async () => {
    await using bench = await openBench();
    const credential = { $case: "dev", value: { name: "alice" } } as const;
    await login(bench.context)({ credential, client: { platform: "web", version: "1" } }, callOf());
    const [alice, bob] = [await logIn(bench), await logIn(bench, "bob")];
    await Promise.all([present(bench, alice.chat), present(bench, bob.chat)]);
    const chat = fakeChat();

    await remove(bench, alice);
    await followUpOnce(bench, chat);

    const { accountId } = alice;
    expect(chat.erased).to.deep.equal([accountId]);
    expect(await eventsOf(bench, alice)).to.deep.equal([]);
    expect(await eventsOf(bench, bob)).to.have.length(2);
    expect(await bench.db.collection("grants").distinct("accountId")).to.deep.equal([bob.accountId]);
    expect(await bench.db.collection("sessions").countDocuments({ accountId, client: { $exists: true } })).to.equal(0);
  });

  it("is a session's end for two days more, so that a gateway that was cut off learns of it", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);

    await remove(bench, alice);
    await followUpOnce(bench, fakeChat());

    const { revokedAt, purgeAt, revokedFor } = await stored(bench, alice.sessionId);
    expect(revokedFor).to.equal("deletion");
    expect(purgeAt.getTime() - (revokedAt?.getTime() ?? 0)).to.equal(2 * DAY_MS);
  });

  it("is looked for at once, after chat has stopped to believe in it, and once more, then never again", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);
    const chat = fakeChat();

    await remove(bench, alice);
    const waits: number[] = [];
    for (let { followUp: next, deletedAt } = await accountOf(bench, alice.accountId); next !== undefined; ) {
      waits.push(next.dueAt.getTime() - (deletedAt?.getTime() ?? 0));
      await makeDue(bench);
      await followUpOnce(bench, chat);
      next = (await accountOf(bench, alice.accountId)).followUp;
    }

    expect(waits).to.deep.equal(ROUNDS_MS);
    expect(chat.erased).to.have.length(ROUNDS_MS.length);
    expect(await bench.context.closings.takeDue()).to.equal(null);
    expect(await accountOf(bench, alice.accountId)).to.have.all.keys("_id", "createdAt", "deletedAt");
  });

  it("goes although chat was down: the round is made again, not skipped", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);
    const chat = fakeChat(2);
    await remove(bench, alice);

    const rounds: (number | undefined)[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await makeDue(bench);
      await followUpOnce(bench, chat);
      rounds.push((await accountOf(bench, alice.accountId)).followUp?.rounds);
    }

    expect(rounds).to.deep.equal([0, 0, 1]);
    expect(chat.erased).to.deep.equal([alice.accountId]);
  });

  it("is taken up by one process at a time, and by another when that one died", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);
    await remove(bench, alice);

    const claims = await Promise.all(Array.from({ length: 8 }, () => bench.context.closings.takeDue()));
    const [died] = claims.filter((claim) => claim !== null);
    await makeDue(bench);
    await followUpOnce(bench, fakeChat());
    const before = await accountOf(bench, alice.accountId);
    await bench.context.closings.reschedule(died ?? expect.fail("nobody took it up"), undefined);

    expect(claims.filter((claim) => claim !== null)).to.have.length(1);
    expect(await accountOf(bench, alice.accountId)).to.deep.equal(before);
  });

  it("goes after a restart, with the sessions of a deletion that stopped at its first write", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);
    await bench.context.closings.bury(alice.accountId, Date.now() + 5_000);
    const refused = await reasonOf(present(bench, alice.chat));

    const erasing = deferred<string>();
    await using _restarted = followUpAccounts(bench.context, { erase: async (accountId) => erasing.resolve(accountId) });
    const erased = await erasing.promise;

    expect(refused).to.equal(TOKEN_REFUSED);
    expect(erased).to.equal(alice.accountId);
    expect(await stored(bench, alice.sessionId)).to.include({ revokedFor: "deletion" });
    expect(await told(bench)).to.deep.equal([alice.sessionId]);
  });
});

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
