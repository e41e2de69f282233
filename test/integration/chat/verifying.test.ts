import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { sweepExpired } from "../../../services/chat/delivery/expiry.ts";
import { FAULT_KINDS } from "../../../services/chat/ledger/faults.ts";
import type { LedgerReport } from "../../../services/chat/ledger/report.ts";
import { verifyLedger } from "../../../services/chat/ledger/verify.ts";
import { Inbox } from "../../../services/chat/store/inbox.ts";
import { Ledger } from "../../../services/chat/store/ledger.ts";
import type { InboxDocument, SendDocument } from "../../../services/chat/store/schema.ts";
import { Sends } from "../../../services/chat/store/sends.ts";
import { again, LedgerBench, messageOf, readInbox } from "./ledger-bench.ts";

const NOW = { graceMs: 0 };
const LOOK = { graceMs: 0, repairs: false };
const DAY_MS = 86_400_000;

describe("checking the ledger against the inboxes", () => {
  it("finds nothing where every pending claim has its body and every body its pending claim", async () => {
    await using bench = await LedgerBench.open();
    const [old, recent, taken] = [messageOf(700), messageOf(), messageOf()];
    await bench.accept([old], 700);
    await bench.accept([recent, taken]);
    await bench.copy().custody.forget(taken.recipientId, [taken.id]);

    const report = await verifyLedger(bench.db, NOW);

    expect(foundIn(report)).to.deep.equal({});
    expect(report).to.deep.include({ claims: 2, bodies: 2, unanswered: 0 });
    expect(report.counts).to.deep.equal({ pending: 2, delivered: 1, expired: 0, deleted: 0 });
  });

  it("removes bodies that a crash left of ended messages, and those whose claim is gone", async () => {
    await using bench = await LedgerBench.open();
    const [kept, ended, lost] = [messageOf(), messageOf(), messageOf()];
    await bench.accept([kept, ended, lost]);
    const left = (await bench.bodies()).filter(({ _id }) => _id === ended.id);
    await bench.copy().custody.forget(ended.recipientId, [ended.id]);
    await bench.db.collection<InboxDocument>("inbox").insertMany(left);
    await bench.dropClaim(lost);

    const look = await verifyLedger(bench.db, LOOK);
    const report = await verifyLedger(bench.db, NOW);

    expect(foundIn(look)).to.deep.equal({ "body-without-claim": [2, 0, 2] });
    expect(foundIn(report)).to.deep.equal({ "body-without-claim": [2, 2, 0] });
    expect(report.faults["body-without-claim"].examples).to.have.members([ended.id, lost.id]);
    expect((await bench.bodies()).map(({ _id }) => _id)).to.deep.equal([kept.id]);
    expect(foundIn(await verifyLedger(bench.db, NOW))).to.deep.equal({});
  });

  it("gives up claims without a body that are older than any call, so that their ids are free again; younger ones may still be repeated", async () => {
    await using bench = await LedgerBench.open();
    const [old, recent] = [messageOf(11), messageOf(9)];
    await bench.accept([old], 11);
    await bench.accept([recent], 9);
    await bench.dropBody(old);
    await bench.dropBody(recent);

    const look = await verifyLedger(bench.db, LOOK);
    const report = await verifyLedger(bench.db, NOW);
    const left = (await bench.claims()).map(({ _id }) => _id);
    await bench.accept([again(old), again(recent)]);

    expect(foundIn(look)).to.deep.equal({ "claim-without-body": [1, 0, 1] });
    expect(foundIn(report)).to.deep.equal({ "claim-without-body": [1, 1, 0] });
    expect([look.unanswered, report.unanswered]).to.deep.equal([1, 1]);
    expect(left).to.deep.equal([recent.id]);
    expect(await verifyLedger(bench.db, NOW)).to.deep.include({ claims: 2, bodies: 2, unanswered: 0 });
  });

  it("ends what is overdue, the ledger first, and leaves what the sweep has still time for", async () => {
    await using bench = await LedgerBench.open();
    const [whole, bodiless, recent] = [messageOf(31 * 1_440), messageOf(31 * 1_440), messageOf()];
    await bench.accept([whole, bodiless], 31 * 1_440);
    await bench.accept([recent]);
    await bench.dropBody(bodiless);

    const early = await verifyLedger(bench.db, { ...LOOK, marginMs: 2 * DAY_MS });
    const look = await verifyLedger(bench.db, LOOK);
    const report = await verifyLedger(bench.db, NOW);

    expect(Object.keys(foundIn(early))).to.deep.equal(["claim-without-body"]);
    expect(foundIn(look)).to.deep.equal({ "claim-without-body": [1, 0, 1], "overdue-body": [1, 0, 1], "overdue-claim": [2, 0, 2] });
    expect(foundIn(report)).to.deep.equal({ "claim-without-body": [1, 1, 0], "overdue-body": [1, 1, 0], "overdue-claim": [2, 2, 0] });
    expect((await bench.record(whole.id))?.state).to.equal("expired");
    expect((await bench.bodies()).map(({ _id }) => _id)).to.deep.equal([recent.id]);
  });

  it("ends nothing before its time by the clock of the database, and removes no body whose claim waits", async () => {
    await using bench = await LedgerBench.open();
    const [due, early, undated] = [messageOf(31 * 1_440), messageOf(29 * 1_440), messageOf(31 * 1_440)];
    await bench.accept([due, undated], 31 * 1_440);
    await bench.accept([early], 29 * 1_440);
    await bench.db.collection<SendDocument>("sends").updateOne({ _id: undated.id }, { $unset: { expiresAt: "" } });

    const ended = await sweepExpired(new Sends(bench.db), new Inbox(bench.db), Date.now() + 2 * DAY_MS);

    expect(ended).to.equal(1);
    expect((await bench.record(due.id))?.state).to.equal("expired");
    expect((await bench.bodies()).map(({ _id }) => _id)).to.have.members([early.id, undated.id]);
    expect((await bench.record(early.id))?.state).to.equal("pending");
  });

  it("counts in parts exactly as at once", async () => {
    await using bench = await LedgerBench.open();
    const ages = [0, 0, 0, 1, 5, 60, 61, 700, 2_000, 20_000];
    await Promise.all(ages.map((minutes) => bench.accept([messageOf(minutes)], minutes)));
    await bench.db
      .collection<SendDocument>("sends")
      .insertMany(
        [1, 1, 2, 9].map((at) => ({ ...messageOf(), _id: newUuid(), state: "expired" as const, expiredAt: new Date(at) }) as never),
      );

    const counts = await Promise.all([1_000_000, 7, 3, 1].map((counted) => new Ledger(bench.db, counted).count("exact")));

    expect(counts).to.deep.equal(counts.map(() => ({ pending: 10, delivered: 0, expired: 4, deleted: 0 })));
  });

  it("asks what no member that was cut off can answer, and does not wait for that for ever", async () => {
    await using bench = await LedgerBench.open();
    const [stray, bodiless] = [messageOf(), messageOf(11)];
    await bench.accept([stray]);
    await bench.accept([bodiless], 11);
    await bench.dropClaim(stray);
    await bench.dropBody(bodiless);
    await bench.db.command({ profile: 2 });

    await verifyLedger(bench.db, NOW);
    await bench.db.command({ profile: 0 });

    const surely = await bench.db.collection("system.profile").find({ "command.readConcern.level": "linearizable" }).toArray();
    expect(surely.map(({ command }) => [command.find, command.maxTimeMS > 0])).to.have.deep.members([
      ["inbox", true],
      ["sends", true],
    ]);
  });

  it("gives claims their dates back, so that none is kept for ever", async () => {
    await using bench = await LedgerBench.open();
    const [waiting, taken] = [messageOf(), messageOf()];
    await bench.accept([waiting, taken]);
    await bench.copy().custody.forget(taken.recipientId, [taken.id]);
    const before = await bench.claims();
    await bench.db.collection<SendDocument>("sends").updateMany({}, { $unset: { expiresAt: "", purgeAt: "" } });

    const look = await verifyLedger(bench.db, LOOK);
    const report = await verifyLedger(bench.db, NOW);

    expect(foundIn(look)).to.deep.equal({ "claim-without-date": [2, 0, 2] });
    expect(foundIn(report)).to.deep.equal({ "claim-without-date": [2, 2, 0] });
    expect(await bench.claims()).to.deep.equal(before);
  });

  it("counts exactly through more pages than one, also where many were accepted in one moment", async function () {
    this.timeout(60_000);
    await using bench = await LedgerBench.open();
    const recipientId = newUuid();
    const many = Array.from({ length: 2_500 }, () => ({ ...messageOf(20, recipientId) }));
    const at = many[0]?.order ?? 0;
    await bench.accept(
      many.map((message) => ({ ...message, order: at })),
      20,
    );
    const ids = many.map(({ id }) => id);
    await bench.db.collection<InboxDocument>("inbox").deleteMany({ _id: { $in: ids.slice(0, 1_200) } });
    await bench.db.collection<SendDocument>("sends").deleteMany({ _id: { $in: ids.slice(1_200, 2_300) } });

    const look = await verifyLedger(bench.db, LOOK);
    const report = await verifyLedger(bench.db, NOW);

    expect(foundIn(look)).to.deep.equal({ "body-without-claim": [1_100, 0, 1_100], "claim-without-body": [1_200, 0, 1_200] });
    expect(foundIn(report)).to.deep.equal({ "body-without-claim": [1_100, 1_100, 0], "claim-without-body": [1_200, 1_200, 0] });
    expect(look).to.deep.include({ claims: 1_400, bodies: 1_300 });
    expect(await verifyLedger(bench.db, NOW)).to.deep.include({ claims: 200, bodies: 200 });
  });

  it("asks indexes only: no body is read, and of the ledger only what waits", async () => {
    await using bench = await LedgerBench.open();
    const messages = Array.from({ length: 300 }, () => messageOf());
    await bench.accept(messages);
    const { custody } = bench.copy();
    await Promise.all(messages.slice(0, 200).map(({ id, recipientId }) => custody.forget(recipientId, [id])));
    await bench.db.command({ profile: 2 });

    await verifyLedger(bench.db, NOW);
    await new Ledger(bench.db).count("estimated");
    await new Ledger(bench.db).findOldestPending();
    await bench.db.command({ profile: 0 });

    const operations = await bench.db
      .collection("system.profile")
      .find({ docsExamined: { $exists: true } })
      .toArray();
    const examined = (name: string): number[] =>
      operations.filter(({ ns }) => ns.endsWith(`.${name}`)).map(({ docsExamined }) => docsExamined);
    expect(operations.filter(({ planSummary }) => !/IXSCAN|COUNT/.test(planSummary))).to.deep.equal([]);
    expect(Math.max(...examined("inbox"))).to.equal(0);
    expect(Math.max(...examined("sends"))).to.equal(100);
  });

  it("takes for no fault what is whole at the second look", async () => {
    await using bench = await LedgerBench.open();
    const [unsure, leaving] = [messageOf(11), messageOf()];
    await bench.accept([unsure], 11);
    await bench.accept([leaving]);
    await bench.dropBody(unsure);
    const [left] = (await bench.bodies()).filter(({ _id }) => _id === leaving.id);
    await bench.copy().custody.forget(leaving.recipientId, [leaving.id]);
    await bench.db.collection<InboxDocument>("inbox").insertOne(left as InboxDocument);
    let looks = 0;
    const now = async (): Promise<number> => {
      looks += 1;
      if (looks === 2) {
        await bench.accept([again(unsure)]);
        await bench.dropBody(leaving);
      }
      return Date.now();
    };

    const report = await verifyLedger(bench.db, { ...NOW, now });

    expect(foundIn(report)).to.deep.equal({});
    expect(await readInbox(bench.copy(), unsure)).to.deep.equal([unsure.id]);
  });
});

/** Of every kind that came up: found, repaired, left. */
function foundIn({ faults }: LedgerReport): Record<string, readonly number[]> {
  return Object.fromEntries(
    FAULT_KINDS.filter((kind) => faults[kind].found > 0).map((kind) => {
      const { found, repaired, left } = faults[kind];
      return [kind, [found, repaired, left]];
    }),
  );
}
