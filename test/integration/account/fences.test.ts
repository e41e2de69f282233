import { expect } from "chai";
import { logout } from "../../../services/account/rpc/logout.ts";
import { type Bench, callOf, check, confirm, heldUpBefore, logIn, openBench, present, reasonOf, stored, told } from "./bench.ts";

const TOO_LATE = "UNAVAILABLE JUDGEMENT_TOO_LATE";

/** Resolves once an instant has passed by the clock of the database. */
async function passed({ db }: Bench, instant: number): Promise<void> {
  for (;;) {
    const { localTime } = await db.command({ hello: 1 });
    if ((localTime as Date).getTime() > instant) {
      return;
    }
  }
}

describe("a presentation that is held up", () => {
  it("mints nothing after its deadline", async () => {
    await using bench = await openBench();
    const { chat, sessionId } = await logIn(bench);
    const before = await stored(bench, sessionId);
    const deadline = Date.now() + 200;
    const slow = heldUpBefore(bench, "sessions", "advance", () => passed(bench, deadline));

    const reason = await reasonOf(present(slow, chat, { deadline }));

    expect(reason).to.equal(TOO_LATE);
    expect(await stored(bench, sessionId)).to.deep.equal(before);
    expect(await bench.db.collection("grants").countDocuments()).to.equal(0);
  });

  it("gives no access token after its deadline, and the token is not used up", async () => {
    await using bench = await openBench();
    const { chat, sessionId } = await logIn(bench);
    const deadline = Date.now() + 300;
    const slow = heldUpBefore(bench, "grants", "add", () => passed(bench, deadline));

    const reason = await reasonOf(present(slow, chat, { deadline }));

    expect(reason).to.equal(TOO_LATE);
    expect(await bench.db.collection("grants").countDocuments()).to.equal(0);
    expect((await present(bench, chat)).generation).to.equal(2);
    expect((await stored(bench, sessionId)).families.chat.next?.generation).to.equal(2);
  });

  it("ends no session after its deadline", async () => {
    await using bench = await openBench({ reuseGraceMs: 0 });
    const { chat, sessionId } = await logIn(bench);
    const { generation } = await present(bench, chat);
    await confirm(bench, sessionId, generation);
    const deadline = Date.now() + 200;
    const slow = heldUpBefore(bench, "revocations", "endStolen", () => passed(bench, deadline));

    const reason = await reasonOf(present(slow, chat, { deadline }));

    expect(reason).to.equal(TOO_LATE);
    expect(await stored(bench, sessionId)).to.not.have.property("revokedAt");
    expect(await told(bench)).to.deep.equal([]);
  });

  it("is judged by what is true when it is written: a token that was retired meanwhile gets nothing", async () => {
    await using bench = await openBench();
    const { chat, sessionId } = await logIn(bench);
    const slow = heldUpBefore(bench, "sessions", "advance", async () => {
      const { generation } = await present(bench, chat);
      await confirm(bench, sessionId, generation);
    });

    const reason = await reasonOf(present(slow, chat));

    expect(reason).to.equal("UNAVAILABLE REFRESH_TOKEN_JUST_RETIRED");
    expect((await stored(bench, sessionId)).families.chat)
      .to.include({ generation: 2 })
      .and.not.have.property("next");
  });

  it("repeats nothing once the successor was confirmed meanwhile", async () => {
    await using bench = await openBench();
    const { chat, sessionId } = await logIn(bench);
    const { generation } = await present(bench, chat);
    const slow = heldUpBefore(bench, "sessions", "advance", () => confirm(bench, sessionId, generation));

    const reason = await reasonOf(present(slow, chat));

    expect(reason).to.equal("UNAVAILABLE REFRESH_TOKEN_JUST_RETIRED");
  });

  it("is refused, and its access token taken back, when the session ends between the judgement and the answer", async () => {
    await using bench = await openBench();
    const { chat, sessionId, accountId } = await logIn(bench);
    const slow = heldUpBefore(bench, "grants", "add", async () => logout(bench.context)({}, callOf({ accountId, sessionId })));

    const reason = await reasonOf(present(slow, chat));

    expect(reason).to.equal("UNAUTHENTICATED REFRESH_TOKEN_REFUSED");
    expect(await bench.db.collection("grants").countDocuments()).to.equal(0);
  });

  it("starts the grace of what it retires when it is written, not when it was judged", async () => {
    await using bench = await openBench({ reuseGraceMs: 1_000 });
    const { chat } = await logIn(bench);
    const { nextRefreshToken } = await present(bench, chat);
    const slow = heldUpBefore(bench, "sessions", "advance", async () => bench.passTime(5_000));

    await present(slow, nextRefreshToken);

    expect(await reasonOf(present(bench, chat))).to.equal("UNAVAILABLE REFRESH_TOKEN_JUST_RETIRED");
  });

  it("leaves no valid access token behind when it is refused late", async () => {
    await using bench = await openBench();
    const { chat } = await logIn(bench);

    const reason = await reasonOf(present(bench, chat, { deadline: Date.now() - 1 }));

    expect(reason).to.equal(TOO_LATE);
    expect(await reasonOf(check(bench, Buffer.alloc(32)))).to.equal("UNAUTHENTICATED ACCESS_TOKEN_REFUSED");
  });
});
