import { expect } from "chai";
import { type Db, openDatabase } from "../../../platform/mongo.ts";
import { createAudit } from "../../../services/account/audit.ts";
import { deleteAccount } from "../../../services/account/rpc/delete-account.ts";
import { logout } from "../../../services/account/rpc/logout.ts";
import { setAccountLocked } from "../../../services/account/rpc/set-account-locked.ts";
import { createAccounts } from "../../../services/account/store/accounts.ts";
import type { Advance } from "../../../services/account/store/advances.ts";
import { createGrants } from "../../../services/account/store/grants.ts";
import { accountSchemas } from "../../../services/account/store/schema.ts";
import { createSecurityEvents } from "../../../services/account/store/security-events.ts";
import { createSessions, type Sessions } from "../../../services/account/store/sessions.ts";
import type { Family } from "../../../services/account/tokens/family.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";
import { profile } from "../../support/profiled-queries.ts";
import { type Bench, callOf, confirm, logIn, openBench, operatorCall, present, reasonOf, stored } from "./bench.ts";
import { LosingProxy } from "./losing-proxy.ts";
import { type Around, counted, watched } from "./watched-database.ts";

const GRACE_MS = 10_000;
const NOBODY = "00000000-0000-4000-8000-000000000000";

/** The change of a session's family of chat that mints a successor. */
async function minting(bench: Bench, sessionId: string, mark = 1): Promise<Advance> {
  const { chat } = (await stored(bench, sessionId)).families;
  const next = { generation: chat.generation + 1, digest: Buffer.alloc(32, mark), sealed: Buffer.alloc(1052, mark) };
  const family: Family = { ...chat, next, version: chat.version + 1, usedAt: new Date() };
  return { sessionId, service: "chat", version: chat.version, family, retires: undefined, deadline: Date.now() + 5_000 };
}

/** The change that says of a family only that it was used again. */
function repeating({ family, ...change }: Advance): Advance {
  return { ...change, family: { ...family, usedAt: new Date() }, version: family.version };
}

function advanceAll({ advance }: Sessions, changes: readonly Advance[]): Promise<readonly boolean[]> {
  return Promise.all(changes.map((change) => advance(change)));
}

async function logInTimes(bench: Bench, times: number): Promise<Awaited<ReturnType<typeof logIn>>[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => logIn(bench, `person ${index}`)));
}

/** The bench of a process whose way through an exchange goes over another database object. */
function over({ context, ...bench }: Bench, db: Db): Bench {
  const stores = {
    accounts: createAccounts(db, () => 0),
    sessions: createSessions(db, GRACE_MS, () => 0),
    grants: createGrants(db),
    audit: createAudit(createSecurityEvents(db), context.events),
  };
  return { ...bench, context: { ...context, ...stores } };
}

describe("changes of families that are written together", () => {
  it("each have the outcome that they would have alone, in one write", async () => {
    await using bench = await openBench();
    const people = await logInTimes(bench, 5);
    const [won, late, overtaken, ended, twice] = await Promise.all(people.map(({ sessionId }) => minting(bench, sessionId)));
    if (!won || !late || !overtaken || !ended || !twice) {
      expect.fail("five are logged in");
    }
    await present(bench, people[2]?.chat ?? expect.fail());
    await logout(bench.context)({}, callOf(people[3]));
    const before = await Promise.all([late, overtaken, ended].map(({ sessionId }) => stored(bench, sessionId)));
    const { db, counts } = counted(bench.db);

    const outcomes = await advanceAll(
      createSessions(db, GRACE_MS, () => 0),
      [
        won,
        { ...late, deadline: Date.now() - 1 },
        overtaken,
        ended,
        twice,
        await minting(bench, twice.sessionId, 2),
        { ...repeating(twice), deadline: Date.now() - 1 },
      ],
    );

    expect(outcomes).to.deep.equal([true, false, false, false, true, false, false]);
    expect([...counts]).to.deep.equal([["sessions.bulkWrite", 1]]);
    expect((await stored(bench, won.sessionId)).families.chat).to.deep.equal(won.family);
    expect((await stored(bench, twice.sessionId)).families.chat).to.deep.equal(twice.family);
    expect(await Promise.all([late, overtaken, ended].map(({ sessionId }) => stored(bench, sessionId)))).to.deep.equal(before);
  });

  it("of one family are all written that do not count its version up, and of each service its own", async () => {
    await using bench = await openBench();
    const { sessionId } = await logIn(bench);
    const minted = await minting(bench, sessionId);
    const { account } = (await stored(bench, sessionId)).families;
    const other: Advance = { ...minted, service: "account", version: account.version, family: { ...account, version: 9 } };

    const outcomes = await advanceAll(bench.context.sessions, [minted, repeating(minted), repeating(minted), other, other]);

    expect(outcomes).to.deep.equal([true, true, true, true, false]);
    expect((await stored(bench, sessionId)).families.account.version).to.equal(9);
  });

  it("are won also by those of a batch with a session that is gone, whatever overtakes them before anybody looks who is gone", async () => {
    await using bench = await openBench();
    const { sessionId } = await logIn(bench);
    const [minted, unknown] = [await minting(bench, sessionId), { ...(await minting(bench, sessionId)), sessionId: NOBODY }];
    const overtaking: Around = async (verb, run) => {
      if (verb === "sessions.find") {
        expect(await bench.context.sessions.advance(repeating(minted))).to.equal(true);
        await confirm(bench, sessionId, 2);
      }
      return run();
    };

    const outcomes = await advanceAll(
      createSessions(watched(bench.db, overtaking), GRACE_MS, () => 0),
      [unknown, minted, minted],
    );

    expect(outcomes).to.deep.equal([false, true, false]);
    expect((await stored(bench, sessionId)).families.chat).to.include({ generation: 2, version: 3 });
  });

  it("fail alone when the database cannot write one", async () => {
    await using bench = await openBench();
    const [first, second] = await logInTimes(bench, 2);
    const [good, bad] = [await minting(bench, first?.sessionId ?? ""), await minting(bench, second?.sessionId ?? "")];
    const unwritable = { ...bad, family: { ...bad.family, retired: "nothing" as never }, retires: 1 };

    const outcomes = await Promise.allSettled([unwritable, good, good].map((change) => bench.context.sessions.advance(change)));

    expect(outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : outcome.reason.name))).to.deep.equal([
      "MongoServerError",
      true,
      false,
    ]);
  });

  it("are all unknown when no majority may have them, though the database says which it refused", async () => {
    await using bench = await openBench();
    const { sessionId } = await logIn(bench);
    const minted = await minting(bench, sessionId);
    const withoutMajority: Around = (_verb, run) =>
      run().catch((error: { result: { result: { writeConcernErrors: unknown[] } } }) => {
        error.result.result.writeConcernErrors.push({ code: 64, errmsg: "waiting for replication timed out" });
        throw error;
      });
    const sessions = createSessions(watched(bench.db, withoutMajority), GRACE_MS, () => 0);

    const reasons = await Promise.all([minted, minted].map((change) => reasonOf(sessions.advance(change))));

    expect(reasons).to.deep.equal(["UNAVAILABLE DATABASE_UNAVAILABLE", "UNAVAILABLE DATABASE_UNAVAILABLE"]);
  });

  it("keep their outcomes when the answer is lost and the driver repeats the write", async () => {
    await using bench = await openBench();
    const [first, second] = await logInTimes(bench, 2);
    const [won, late] = [await minting(bench, first?.sessionId ?? ""), await minting(bench, second?.sessionId ?? "")];
    const { host, port } = /\/\/(?<host>[^:/]+):(?<port>\d+)/.exec(freshDatabaseUri())?.groups ?? {};
    await using proxy = await LosingProxy.start({ host: host ?? "", port: Number(port) });
    const name = bench.db.databaseName.replace(/_account$/, "");
    await using way = openDatabase(`mongodb://127.0.0.1:${proxy.port}/${name}?directConnection=true`, "account");
    const sessions = createSessions(way.db, GRACE_MS, () => 0);
    await sessions.find(won.sessionId);
    proxy.loseAnswerTo("$toObjectId");

    const outcomes = await advanceAll(sessions, [won, won, { ...late, deadline: Date.now() - 1 }, { ...late, sessionId: NOBODY }, late]);

    expect(proxy.lost).to.equal(1);
    expect(outcomes).to.deep.equal([true, false, false, false, true]);
    expect((await stored(bench, won.sessionId)).families.chat).to.deep.equal(won.family);
  });
});

describe("readings that are made together", () => {
  it("answer each who asks, with one question for all", async () => {
    await using bench = await openBench();
    const [open, ended, locked, deleted] = await logInTimes(bench, 4);
    if (!open || !ended || !locked || !deleted) {
      expect.fail("four are logged in");
    }
    await logout(bench.context)({}, callOf(ended));
    await setAccountLocked(bench.context)({ accountId: locked.accountId, locked: true }, operatorCall());
    await deleteAccount(bench.context)({}, callOf(deleted));
    const { db, counts } = counted(bench.db);
    const [sessions, accounts] = [createSessions(db, GRACE_MS, () => 0), createAccounts(db, () => 0)];

    const readings = await Promise.all(
      [open.sessionId, NOBODY, ended.sessionId, open.sessionId].map((sessionId) => sessions.find(sessionId)),
    );
    const standings = await Promise.all(
      [open.accountId, NOBODY, locked.accountId, deleted.accountId, open.accountId].map((accountId) => accounts.standing(accountId)),
    );

    expect(readings.map((reading) => reading && [reading.accountId, reading.isLive])).to.deep.equal([
      [open.accountId, true],
      null,
      [ended.accountId, false],
      [open.accountId, true],
    ]);
    expect(standings).to.deep.equal(["open", "gone", "locked", "gone", "open"]);
    expect([...counts]).to.deep.equal([
      ["sessions.find", 1],
      ["accounts.find", 1],
    ]);
  });

  it("answer nobody who asks after they began", async () => {
    await using bench = await openBench();
    const { sessionId, accountId } = await logIn(bench);
    const later: Promise<unknown>[] = [];
    const ask = (): void => void later.push(sessions.find(sessionId), accounts.standing(accountId));
    const meanwhile: Around = async (_verb, run) => {
      const answer = await run();
      if (later.length === 0) {
        await setAccountLocked(bench.context)({ accountId, locked: true }, operatorCall());
        ask();
      }
      return answer;
    };
    const db = watched(bench.db, meanwhile);
    const [sessions, accounts] = [createSessions(db, GRACE_MS, () => 0), createAccounts(db, () => 0)];

    const before = await sessions.find(sessionId);
    const [after, standing] = await Promise.all(later);

    expect(before?.isLive).to.equal(true);
    expect(after).to.include({ isLive: false });
    expect(standing).to.equal("locked");
  });

  it("come in one answer, also of more than the database sends at a time unless it is told", async () => {
    await using bench = await openBench();
    const logins = await logInTimes(bench, 150);

    const ask = logins.flatMap(({ sessionId, accountId }) => [
      () => bench.context.sessions.find(sessionId),
      () => bench.context.accounts.standing(accountId),
    ]);
    await profile(bench.db, accountSchemas, () => Promise.all(ask.map((one) => one())));

    expect(await bench.db.collection("system.profile").countDocuments({ op: "query" })).to.equal(2);
    expect(await bench.db.collection("system.profile").countDocuments({ op: "getmore" })).to.equal(0);
  });
});

describe("an exchange", () => {
  it("looks at session and account again only when its grant is durable", async () => {
    await using bench = await openBench();
    const { chat } = await logIn(bench);
    const log: string[] = [];
    const logging: Around = async (verb, run) => {
      log.push(`${verb} begins`);
      const answer = await run();
      log.push(`${verb} ends`);
      return answer;
    };

    await present(over(bench, watched(bench.db, logging)), chat);

    const durable = log.indexOf("grants.insertMany ends");
    expect(log.slice(0, durable).filter((step) => /^(sessions|accounts)/.test(step))).to.deep.equal([
      "sessions.find begins",
      "sessions.find ends",
      "sessions.bulkWrite begins",
      "sessions.bulkWrite ends",
    ]);
    expect(log.slice(durable)).to.include.members(["sessions.find begins", "accounts.find begins"]);
  });
});

describe("a hundred exchanges at once", () => {
  it("cost the database a handful of questions", async () => {
    await using bench = await openBench();
    const logins = await logInTimes(bench, 100);
    const { db, counts } = counted(bench.db);
    const busy = over(bench, db);

    const answers = await Promise.all(logins.map(({ chat }) => present(busy, chat)));

    expect(answers.map(({ generation }) => generation)).to.deep.equal(logins.map(() => 2));
    expect([...counts.values()].reduce((sum, count) => sum + count, 0)).to.be.at.most(20);
  });
});
