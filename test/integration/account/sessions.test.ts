import { randomUUID } from "node:crypto";
import { expect } from "chai";
import type { ListRevocationsResponse } from "../../../proto/gen/sallyport/account/v1/token.ts";
import { getAccount } from "../../../services/account/rpc/get-account.ts";
import { listRevocations } from "../../../services/account/rpc/list-revocations.ts";
import { listSessions } from "../../../services/account/rpc/list-sessions.ts";
import { login } from "../../../services/account/rpc/login.ts";
import { logout } from "../../../services/account/rpc/logout.ts";
import { logoutEverywhere } from "../../../services/account/rpc/logout-everywhere.ts";
import { revokeSession } from "../../../services/account/rpc/revoke-session.ts";
import type { SessionDocument } from "../../../services/account/store/schema.ts";
import { type Bench, callOf, check, confirm, logIn, openBench, present, reasonOf, stored, told } from "./bench.ts";

const REFUSED = "UNAUTHENTICATED REFRESH_TOKEN_REFUSED";
const DAY_MS = 86_400_000;

async function listed(bench: Bench, caller: { accountId: string; sessionId: string }): Promise<readonly string[]> {
  const { sessions } = await listSessions(bench.context)({}, callOf(caller));
  return sessions.map(({ sessionId }) => sessionId);
}

async function revokedSince(bench: Bench, cursor: string): Promise<readonly string[]> {
  return (await listRevocations(bench.context)({ cursor }, callOf())).sessionIds;
}

describe("the sessions of an account", () => {
  it("are listed newest first, with the calling one marked and what its app said of itself", async () => {
    await using bench = await openBench();
    const first = await logIn(bench);
    bench.passTime(1_000);
    const credential = { $case: "dev", value: { name: "alice" } } as const;
    await login(bench.context)({ credential, client: { platform: "web", version: "1.2.3" } }, callOf());
    await logIn(bench, "bob");

    const { sessions } = await listSessions(bench.context)({}, callOf(first));

    expect(sessions.map(({ current, client }) => ({ current, client }))).to.deep.equal([
      { current: false, client: { platform: "web", version: "1.2.3" } },
      { current: true, client: undefined },
    ]);
    expect(sessions[1]?.sessionId).to.equal(first.sessionId);
  });

  it("show when a token of theirs was last exchanged, and calls in between write nothing", async () => {
    await using bench = await openBench();
    const first = await logIn(bench);
    bench.passTime(60_000);
    const { accessToken, generation } = await present(bench, first.chat);
    await confirm(bench, first.sessionId, generation);
    const written = await stored(bench, first.sessionId);
    bench.passTime(60_000);
    await check(bench, accessToken);

    const { sessions } = await listSessions(bench.context)({}, callOf(first));

    const { createdAt, lastSeenAt } = sessions[0] ?? {};
    expect(Number(lastSeenAt) - Number(createdAt)).to.be.within(59_000, 65_000);
    expect(await stored(bench, first.sessionId)).to.deep.equal(written);
  });

  it("are not listed once they are expired", async () => {
    await using bench = await openBench();
    const old = await logIn(bench);
    bench.passTime(90 * 86_400_000);
    const young = await logIn(bench);

    expect(await listed(bench, young)).to.deep.equal([young.sessionId]);
    expect(old.accountId).to.equal(young.accountId);
  });

  it("expire one by one: 90 days after the last exchange of each, and of each of its services", async () => {
    await using bench = await openBench();
    const [idle, used] = [await logIn(bench), await logIn(bench)];
    const account = used.tokens["account"]?.refreshToken ?? Buffer.alloc(0);
    bench.passTime(45 * DAY_MS);
    const { nextRefreshToken } = await present(bench, used.chat);

    bench.passTime(45 * DAY_MS - 60_000);
    const stillThere = await listed(bench, used);
    bench.passTime(60_000);

    expect(stillThere).to.have.members([idle.sessionId, used.sessionId]);
    expect(await listed(bench, used)).to.deep.equal([used.sessionId]);
    expect(await reasonOf(present(bench, idle.chat))).to.equal(REFUSED);
    expect(await reasonOf(present(bench, account, { service: "account" }))).to.equal(REFUSED);
    expect(await reasonOf(present(bench, nextRefreshToken))).to.equal("OK");
    expect(await stored(bench, idle.sessionId)).to.not.have.property("revokedAt");
  });

  it("end one by one, and end again without complaint", async () => {
    await using bench = await openBench();
    const [first, second] = [await logIn(bench), await logIn(bench)];

    for (const sessionId of [second.sessionId, second.sessionId.toUpperCase()]) {
      await revokeSession(bench.context)({ sessionId }, callOf(first));
    }

    expect(await listed(bench, first)).to.deep.equal([first.sessionId]);
    expect(await reasonOf(present(bench, second.chat))).to.equal(REFUSED);
    expect(await reasonOf(present(bench, first.chat))).to.equal("OK");
    expect(new Set(await told(bench))).to.deep.equal(new Set([second.sessionId]));
  });

  it("of others cannot be ended", async () => {
    await using bench = await openBench();
    const [alice, bob] = [await logIn(bench), await logIn(bench, "bob")];

    const reason = await reasonOf(Promise.resolve(revokeSession(bench.context)({ sessionId: bob.sessionId }, callOf(alice))));

    expect(reason).to.equal("NOT_FOUND SESSION_NOT_FOUND");
    expect(await reasonOf(present(bench, bob.chat))).to.equal("OK");
    expect(await told(bench)).to.deep.equal([]);
  });

  it("end with a logout, with the tokens of both services", async () => {
    await using bench = await openBench();
    const [first, second] = [await logIn(bench), await logIn(bench)];
    const account = first.tokens["account"]?.refreshToken ?? Buffer.alloc(0);

    await logout(bench.context)({}, callOf(first));

    expect(await reasonOf(present(bench, first.chat))).to.equal(REFUSED);
    expect(await reasonOf(present(bench, account, { service: "account" }))).to.equal(REFUSED);
    expect(await reasonOf(present(bench, second.chat))).to.equal("OK");
  });

  it("end all with a logout everywhere, and every gateway is told of each", async () => {
    await using bench = await openBench();
    const sessions = [await logIn(bench), await logIn(bench), await logIn(bench)];
    const bob = await logIn(bench, "bob");
    const [first] = sessions;

    await logoutEverywhere(bench.context)({}, callOf(first));

    expect(await told(bench)).to.have.members(sessions.map(({ sessionId }) => sessionId));
    expect(await Promise.all(sessions.map(({ chat }) => reasonOf(present(bench, chat))))).to.deep.equal([REFUSED, REFUSED, REFUSED]);
    expect(await reasonOf(present(bench, bob.chat))).to.equal("OK");
  });

  it("that began after a logout everywhere was given up are not ended by it", async () => {
    await using bench = await openBench();
    const [first, second] = [await logIn(bench), await logIn(bench)];

    const reason = await reasonOf(Promise.resolve(logoutEverywhere(bench.context)({}, callOf(first, Date.now() - 1))));

    expect(reason).to.equal("UNAVAILABLE REVOCATION_TOO_LATE");
    expect(await listed(bench, first)).to.have.members([first.sessionId, second.sessionId]);
  });

  it("of a revoked session are not revived by a confirmation that comes late", async () => {
    await using bench = await openBench();
    const first = await logIn(bench);
    const { generation, nextRefreshToken } = await present(bench, first.chat);
    await logout(bench.context)({}, callOf(first));
    const ended = await stored(bench, first.sessionId);

    await confirm(bench, first.sessionId, generation);

    expect(await stored(bench, first.sessionId)).to.deep.equal(ended);
    expect(await reasonOf(present(bench, nextRefreshToken))).to.equal(REFUSED);
  });

  it("belong to an account that can be asked for", async () => {
    await using bench = await openBench();
    const first = await logIn(bench);

    const account = await getAccount(bench.context)({}, callOf(first));

    expect(account.accountId).to.equal(first.accountId);
    expect(Number(account.createdAt)).to.be.closeTo(Date.now(), 10_000);
  });
});

describe("the log of revocations", () => {
  it("names every end after a cursor, and is not moved by asking", async () => {
    await using bench = await openBench();
    const [first, second] = [await logIn(bench), await logIn(bench)];
    const { cursor } = await listRevocations(bench.context)({ cursor: "" }, callOf());
    await logout(bench.context)({}, callOf(first));
    await logout(bench.context)({}, callOf(second));

    const once = await revokedSince(bench, cursor);
    const again = await revokedSince(bench, cursor);

    expect(once).to.deep.equal([first.sessionId, second.sessionId]);
    expect(again).to.deep.equal(once);
  });

  it("leaves out what ended long before the cursor", async () => {
    await using bench = await openBench();
    const [old, young] = [await logIn(bench), await logIn(bench)];
    await logout(bench.context)({}, callOf(old));
    await logout(bench.context)({}, callOf(young));
    await bench.db
      .collection<{ _id: string }>("sessions")
      .updateOne({ _id: old.sessionId }, { $set: { revokedAt: new Date(Date.now() - 60_000) } });

    expect(await revokedSince(bench, "")).to.deep.equal([young.sessionId]);
    expect(await revokedSince(bench, String(Date.now() - 60_000))).to.deep.equal([old.sessionId, young.sessionId]);
  });

  it("names at most 10,000 ends in an answer and the rest in the next ones, each once, many of one instant among them, and then all that are new", async () => {
    await using bench = await openBench();
    const [template] = await bench.db
      .collection<SessionDocument>("sessions")
      .find({ _id: (await logIn(bench)).sessionId })
      .toArray();
    const endedAt = Date.now();
    const ended = Array.from({ length: 11_500 }, (_, index) => ({
      ...(template as SessionDocument),
      _id: randomUUID(),
      revokedAt: new Date(endedAt - (index < 10_500 ? 1 : index % 1_000)),
    }));
    await bench.db.collection<SessionDocument>("sessions").insertMany(ended);

    const answers: ListRevocationsResponse[] = [];
    let cursor = String(endedAt);
    do {
      answers.push(await listRevocations(bench.context)({ cursor }, callOf()));
      cursor = answers.at(-1)?.cursor ?? "";
    } while (cursor.includes("."));
    const late = await logIn(bench);
    await logout(bench.context)({}, callOf(late));
    await bench.db
      .collection<SessionDocument>("sessions")
      .updateMany({ _id: { $ne: late.sessionId } }, { $set: { revokedAt: new Date(endedAt - 60_000) } });

    expect(answers.map(({ sessionIds }) => sessionIds.length)).to.deep.equal([10_000, 1_500]);
    expect(answers.flatMap(({ sessionIds }) => sessionIds).toSorted()).to.deep.equal(ended.map(({ _id }) => _id).toSorted());
    expect(await revokedSince(bench, cursor)).to.deep.equal([late.sessionId]);
  });

  it("names in the look after a long list what came to be seen late while it was read", async () => {
    await using bench = await openBench();
    const { sessionId } = await logIn(bench);
    const startedAt = Date.now();
    const place = `${startedAt - 10_000}.${startedAt - 1}.${randomUUID()}`;

    const { cursor } = await listRevocations(bench.context)({ cursor: place }, callOf());
    await bench.db
      .collection<SessionDocument>("sessions")
      .updateOne({ _id: sessionId }, { $set: { revokedAt: new Date(startedAt - 25_000) } });

    expect(await revokedSince(bench, cursor)).to.deep.equal([sessionId]);
  });

  it("refuses a cursor that it never gave", async () => {
    await using bench = await openBench();

    expect(await reasonOf(revokedSince(bench, "yesterday"))).to.equal("INVALID_ARGUMENT FIELD_RULE_VIOLATED");
  });

  it("is read by its index", async () => {
    await using bench = await openBench();
    const query = bench.db
      .collection("sessions")
      .find({ revokedAt: { $gte: new Date() } })
      .sort({ revokedAt: 1, _id: 1 });

    const plan = JSON.stringify(await query.explain("queryPlanner"));

    expect(plan)
      .to.include('"indexName":"revokedAt_1__id_1"')
      .and.not.match(/"(COLLSCAN|SORT)"/);
  });
});
