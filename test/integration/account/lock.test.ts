import { expect } from "chai";
import { finishLock } from "../../../services/account/closing.ts";
import { followUp } from "../../../services/account/follow-up.ts";
import { endSessions } from "../../../services/account/rpc/end-sessions.ts";
import { findAccount } from "../../../services/account/rpc/find-account.ts";
import { getAccount } from "../../../services/account/rpc/get-account.ts";
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

const NOBODY = "00000000-0000-4000-8000-000000000000";
const TOKEN_REFUSED = "UNAUTHENTICATED REFRESH_TOKEN_REFUSED";
const LOCKED = "PERMISSION_DENIED ACCOUNT_LOCKED";

async function setLocked({ context }: Pick<Bench, "context">, accountId: string, locked: boolean, deadline?: number): Promise<void> {
  await setAccountLocked(context)({ accountId, locked }, operatorCall(deadline));
}

/** What a call that locks writes before its process dies. */
async function lockHalfWay({ context }: Bench, accountId: string): Promise<void> {
  await context.closings.lock(accountId, Date.now() + 5_000);
}

async function makeDue({ db }: Bench, accountId: string): Promise<void> {
  await db.collection<AccountDocument>("accounts").updateOne({ _id: accountId }, { $set: { "followUp.dueAt": new Date(0) } });
}

const noChat = { erase: () => Promise.reject(new Error("a lock erases nothing")) };

describe("a locked account", () => {
  it("has no sessions, its tokens are refused, and gateways are told of each", async () => {
    await using bench = await openBench();
    const [first, second, bob] = [await logIn(bench), await logIn(bench), await logIn(bench, "bob")];
    const { accessToken, nextRefreshToken } = await present(bench, first.chat);

    await setLocked(bench, first.accountId.toUpperCase(), true);

    expect(await told(bench)).to.have.members([first.sessionId, second.sessionId]);
    expect(await reasonOf(check(bench, accessToken))).to.equal("UNAUTHENTICATED ACCESS_TOKEN_REFUSED");
    expect(await reasonOf(present(bench, nextRefreshToken))).to.equal(TOKEN_REFUSED);
    expect(await reasonOf(present(bench, second.chat))).to.equal(TOKEN_REFUSED);
    expect(await reasonOf(present(bench, bob.chat))).to.equal("OK");
  });

  it("cannot log in until it is unlocked, which revives no session", async () => {
    await using bench = await openBench();
    const first = await logIn(bench);

    await setLocked(bench, first.accountId, true);
    const locked = await reasonOf(logIn(bench));
    await setLocked(bench, first.accountId, false);
    const again = await logIn(bench);

    expect(locked).to.equal(LOCKED);
    expect([again.accountId, again.created]).to.deep.equal([first.accountId, false]);
    expect(await reasonOf(present(bench, again.chat))).to.equal("OK");
    expect(await reasonOf(present(bench, first.chat))).to.equal(TOKEN_REFUSED);
  });

  it("has no session left when logins race with the lock, and each login is refused or its session ended", async () => {
    await using bench = await openBench();
    const { accountId } = await logIn(bench);

    const logins = Promise.all(
      Array.from({ length: 40 }, () =>
        logIn(bench).then(
          ({ chat }) => chat,
          (error: unknown) => reasonOf(Promise.reject(error)),
        ),
      ),
    );
    await setLocked(bench, accountId, true);
    const outcomes = await logins;

    const refusals = await Promise.all(
      outcomes.map(async (outcome) => (typeof outcome === "string" ? outcome : reasonOf(present(bench, outcome)))),
    );
    expect([LOCKED, TOKEN_REFUSED]).to.include.members([...new Set(refusals)]);
    expect(await bench.context.sessions.count(accountId)).to.equal(0);
  });

  it("takes no login that found it open and is held up before its session is written", async () => {
    await using bench = await openBench();
    const { accountId } = await logIn(bench);
    const slow = heldUpBefore(bench, "sessions", "add", () => setLocked(bench, accountId, true));

    const reason = await reasonOf(logIn(slow));

    expect(reason).to.equal(LOCKED);
    expect(await bench.db.collection("sessions").countDocuments({ accountId, revokedAt: { $exists: false } })).to.equal(0);
  });

  it("gets nothing for a token that was judged just before, nor for one of a lock that stopped half-way", async () => {
    await using bench = await openBench();
    const { accountId, chat } = await logIn(bench);
    const slow = heldUpBefore(bench, "grants", "add", () => lockHalfWay(bench, accountId));

    const reason = await reasonOf(present(slow, chat));

    expect(reason).to.equal(TOKEN_REFUSED);
    expect(await bench.db.collection("grants").countDocuments()).to.equal(0);
  });

  it("has its access tokens refused from the first write of the lock on", async () => {
    await using bench = await openBench();
    const { accountId, chat, sessionId } = await logIn(bench);
    const { accessToken } = await present(bench, chat);

    await lockHalfWay(bench, accountId);

    expect(await stored(bench, sessionId)).to.not.have.property("revokedAt");
    expect(await reasonOf(check(bench, accessToken))).to.equal("UNAUTHENTICATED ACCESS_TOKEN_REFUSED");
  });

  it("whose lock stopped half-way loses its sessions to whoever follows up, and to a repetition", async () => {
    await using bench = await openBench();
    for (const name of ["alice", "bob"]) {
      const { accountId, sessionId } = await logIn(bench, name);
      await lockHalfWay(bench, accountId);
      if (name === "alice") {
        await makeDue(bench, accountId);
        const due = await bench.context.closings.takeDue();
        await followUp(bench.context, noChat, due ?? expect.fail("nothing is due"));
      } else {
        await setLocked(bench, accountId, true);
      }

      expect(await stored(bench, sessionId)).to.include({ revokedFor: "lock" });
      expect(await told(bench)).to.include(sessionId);
      expect(await eventsOf(bench, { accountId, sessionId })).to.deep.equal([
        ["LOCK", "", ""],
        ["LOGIN", sessionId, "192.0.2.1"],
      ]);
    }
    expect(await bench.db.collection("accounts").countDocuments({ followUp: { $exists: true } })).to.equal(0);
  });

  it("whose lock stopped half-way is unlocked only after its sessions have ended", async () => {
    await using bench = await openBench();
    const { accountId, chat } = await logIn(bench);
    await lockHalfWay(bench, accountId);

    await setLocked(bench, accountId, false);

    expect(await reasonOf(present(bench, chat))).to.equal(TOKEN_REFUSED);
    expect(await reasonOf(logIn(bench))).to.equal("OK");
  });

  it("is unlocked also while somebody else follows up", async () => {
    await using bench = await openBench();
    const { accountId } = await logIn(bench);
    await lockHalfWay(bench, accountId);
    await makeDue(bench, accountId);
    const slow = heldUpBefore(bench, "revocations", "endAll", () => bench.context.closings.takeDue());

    await setLocked(slow, accountId, false);

    expect(await reasonOf(logIn(bench))).to.equal("OK");
    expect((await bench.context.accounts.find(accountId)) ?? {}).to.not.have.any.keys("lockedAt", "followUp");
  });

  it("that is unlocked keeps its new sessions when who followed up wakes after its claim", async () => {
    await using bench = await openBench();
    const { accountId } = await logIn(bench);
    await lockHalfWay(bench, accountId);
    await makeDue(bench, accountId);
    const due = (await bench.context.closings.takeDue()) ?? expect.fail("nothing is due");
    await setLocked(bench, accountId, false);
    const again = await logIn(bench);

    await followUp(bench.context, noChat, { ...due, followUp: { ...due.followUp, dueAt: new Date(Date.now() - 1_000) } });

    expect(await reasonOf(present(bench, again.chat))).to.equal("OK");
  });

  it("is left to the call that locks it for a moment before anybody follows up", async () => {
    await using bench = await openBench();
    const { accountId } = await logIn(bench);

    await lockHalfWay(bench, accountId);

    expect(await bench.context.closings.takeDue()).to.equal(null);
  });

  it("may be locked again, and is then one lock with one event", async () => {
    await using bench = await openBench();
    const { accountId, sessionId } = await logIn(bench);

    await Promise.all([setLocked(bench, accountId, true), setLocked(bench, accountId, true)]);
    await setLocked(bench, accountId, true);

    expect((await eventsOf(bench, { accountId, sessionId })).map(([type]) => type)).to.deep.equal(["LOCK", "LOGIN"]);
    expect(await bench.context.closings.takeDue()).to.equal(null);
  });

  it("keeps its lock when the end of an older one comes late", async () => {
    await using bench = await openBench();
    const { accountId } = await logIn(bench);
    const older = await bench.context.closings.lock(accountId, Date.now() + 5_000);
    await setLocked(bench, accountId, false);
    await lockHalfWay(bench, accountId);

    await finishLock(bench.context, typeof older === "string" ? expect.fail(older) : older, Date.now() + 5_000);

    expect(await reasonOf(logIn(bench))).to.equal(LOCKED);
    expect((await bench.context.accounts.find(accountId))?.followUp?.rounds).to.equal(0);
  });

  it("is not locked, unlocked or emptied after the deadline of the call", async () => {
    await using bench = await openBench();
    const { accountId, chat } = await logIn(bench);
    const late = operatorCall(Date.now() - 1);

    const reasons = [
      await reasonOf(setLocked(bench, accountId, true, Date.now() - 1)),
      await reasonOf(Promise.resolve(endSessions(bench.context)({ accountId }, late))),
    ];

    expect(reasons).to.deep.equal(["UNAVAILABLE CLOSING_TOO_LATE", "UNAVAILABLE REVOCATION_TOO_LATE"]);
    expect(await reasonOf(present(bench, chat))).to.equal("OK");
  });
});

describe("an operator", () => {
  it("finds an account by its id and by its dev name, with its lock and its live sessions", async () => {
    await using bench = await openBench();
    const old = await logIn(bench);
    bench.passTime(90 * 86_400_000);
    await logIn(bench);
    await logIn(bench);
    const find = findAccount(bench.context);

    const byName = await find({ key: { $case: "devName", value: "alice" } }, operatorCall());
    await setLocked(bench, old.accountId, true);
    const byId = await find({ key: { $case: "accountId", value: old.accountId.toUpperCase() } }, operatorCall());

    const { createdAt } = await getAccount(bench.context)({}, callOf(old));
    expect(byName).to.deep.equal({ accountId: old.accountId, createdAt, locked: false, sessionCount: 2 });
    expect(byId).to.deep.equal({ accountId: old.accountId, createdAt, locked: true, sessionCount: 0 });
  });

  it("ends every session of an account without locking it, one event for each, and may repeat it", async () => {
    await using bench = await openBench();
    const [first, second, bob] = [await logIn(bench), await logIn(bench), await logIn(bench, "bob")];

    await endSessions(bench.context)({ accountId: first.accountId }, operatorCall());
    await endSessions(bench.context)({ accountId: first.accountId }, operatorCall());
    const third = await logIn(bench);

    const ended = (await eventsOf(bench, third)).filter(([type]) => type === "REVOCATION");
    expect(ended).to.have.deep.members([
      ["REVOCATION", first.sessionId, ""],
      ["REVOCATION", second.sessionId, ""],
    ]);
    expect(new Set(await told(bench))).to.deep.equal(new Set([first.sessionId, second.sessionId]));
    expect(await Promise.all([first, second, third, bob].map(({ chat }) => reasonOf(present(bench, chat))))).to.deep.equal([
      TOKEN_REFUSED,
      TOKEN_REFUSED,
      "OK",
      "OK",
    ]);
  });

  it("is told of an account that is not there", async () => {
    await using bench = await openBench();
    const { context } = bench;

    const reasons = await Promise.all(
      [
        findAccount(context)({ key: { $case: "accountId", value: NOBODY } }, operatorCall()),
        findAccount(context)({ key: { $case: "devName", value: "nobody" } }, operatorCall()),
        setAccountLocked(context)({ accountId: NOBODY, locked: true }, operatorCall()),
        setAccountLocked(context)({ accountId: NOBODY, locked: false }, operatorCall()),
        endSessions(context)({ accountId: NOBODY }, operatorCall()),
      ].map((answer) => reasonOf(Promise.resolve(answer))),
    );

    expect([...new Set(reasons)]).to.deep.equal(["NOT_FOUND ACCOUNT_NOT_FOUND"]);
  });
});
