import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { Leases } from "../../../platform/leases.ts";
import { Metrics } from "../../../platform/metrics.ts";
import { openDatabase } from "../../../platform/mongo.ts";
import type { ChatEvents } from "../../../services/chat/events.ts";
import { FAULT_KINDS } from "../../../services/chat/ledger/faults.ts";
import { ledgerRounds } from "../../../services/chat/ledger/rounds.ts";
import { verifyLedger } from "../../../services/chat/ledger/verify.ts";
import { ChatStack } from "./chat-stack.ts";
import { as, type FakeGateway } from "./fake-gateway.ts";
import { LedgerBench } from "./ledger-bench.ts";

describe("the ledger of a running chat service", () => {
  it("is shown by state, with the age of what waits longest", async () => {
    const metrics = new Metrics();
    let present = Date.now();
    await using stack = await ChatStack.start({ metrics, ledger: { countMs: 20 }, now: () => present });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const [first] = [await gateway.send(alice, bob, newUuid(), "1"), await gateway.send(alice, bob, newUuid(), "2")];
    await gateway.chat.ackMessages({ messageIds: [first.messageId] }, as(bob));
    await stack.collection("sends").insertMany(endedClaims("expired", 3).concat(endedClaims("deleted", 4)));
    present += 60_000;

    const isWhole = (values: Readonly<Record<string, number>>): boolean =>
      values["sallyport_ledger_accepted"] === 9 && values["sallyport_ledger_messages delivered"] === 1 && (values[OLDEST] ?? 0) >= 60;
    const shown = await until(metrics, isWhole);

    expect(shown).to.deep.include({
      "sallyport_ledger_messages pending": 1,
      "sallyport_ledger_messages expired": 3,
      "sallyport_ledger_messages deleted": 4,
    });
    expect(shown[OLDEST]).to.be.lessThan(90);
  });

  it("is checked and mended by one of its copies, which shows what is left and what it mended", async () => {
    const metrics = new Metrics();
    await using stack = await ChatStack.start({ metrics, ledger: { verifyMs: 50, graceMs: 0 } });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const sent = await gateway.send(alice, bob, newUuid(), "left behind");
    const left = await stack.documents("inbox");
    await gateway.chat.ackMessages({ messageIds: [sent.messageId] }, as(bob));
    await stack.collection("inbox").insertMany(left);

    const shown = await until(metrics, (values) => values["sallyport_ledger_repairs_total body-without-claim"] === 1);

    expect(await stack.documents("inbox")).to.deep.equal([]);
    expect(FAULT_KINDS.map((kind) => shown[`sallyport_ledger_faults ${kind}`])).to.deep.equal([0, 0, 0, 0, 0]);
    expect(shown["sallyport_ledger_verified_timestamp_seconds"]).to.be.closeTo(Date.now() / 1_000, 60);
  });

  it("keeps claims without a body until the command gives them up, as copies of older versions may run beside", async () => {
    const metrics = new Metrics();
    let present = Date.now() - 700_000;
    await using stack = await ChatStack.start({ metrics, now: () => present, ledger: { verifyMs: 50, graceMs: 0 } });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    await gateway.send(alice, bob, newUuid(), "its body is lost");
    await stack.collection("inbox").deleteMany({});
    present = Date.now();
    const isShown = (values: Readonly<Record<string, number>>): boolean => values["sallyport_ledger_faults claim-without-body"] === 1;

    const shown = await until(metrics, isShown);
    const kept = await stack.documents("sends");
    await using database = openDatabase(stack.config.mongodbUri, "chat");
    const report = await verifyLedger(database.db, { graceMs: 0 });

    expect(shown["sallyport_ledger_repairs_total claim-without-body"] ?? 0).to.equal(0);
    expect(kept.map(({ state }) => state)).to.deep.equal(["pending"]);
    expect(report.faults["claim-without-body"]).to.deep.include({ found: 1, repaired: 1 });
    expect(await stack.documents("sends")).to.deep.equal([]);
  });

  it("is counted by one of its copies, and by another one when that is gone", async () => {
    await using bench = await LedgerBench.open();
    const leases = new Leases(bench.db);
    const [one, two] = ["one", "two"].map((copy) => countingCopy(bench, leases, copy)) as [CountingCopy, CountingCopy];

    await one.count();
    await two.count();
    await one.count();
    const before = [await one.accepted(), await two.accepted()];
    await leases.end("count");
    await two.count();
    await one.count();
    const after = [await one.accepted(), await two.accepted()];

    expect([before, after]).to.deep.equal([
      [0, undefined],
      [undefined, 0],
    ]);
  });

  it("is not checked by a copy while another one holds the lease", async () => {
    const metrics = new Metrics();
    await using stack = await ChatStack.start({ ledger: { verifyMs: 1_000_000 } });
    await stack
      .collection("leases")
      .insertOne({ _id: "verify" as never, holder: "another copy", expiresAt: new Date(Date.now() + 3_600_000) });
    await stack.stopService();
    await stack.startService({ metrics, ledger: { verifyMs: 10, countMs: 500 } });

    const shown = await until(metrics, (values) => values["sallyport_ledger_accepted"] === 0);

    expect(shown["sallyport_ledger_verified_timestamp_seconds"]).to.equal(undefined);
    expect(Object.keys(shown).filter((name) => name.startsWith("sallyport_ledger_faults"))).to.deep.equal([]);
  });

  it("is left at once by a copy that stops in the middle of a check", async () => {
    await using stack = await ChatStack.start({ ledger: { verifyMs: 20, graceMs: 600_000 } });
    await stack.collection("inbox").insertOne({ _id: "stray" as never, recipientId: "r", order: 0, acceptedAt: new Date(0), size: 1 });

    while ((await stack.collection("leases").countDocuments({ _id: "verify" as never })) === 0) {
      await stack.documents("inbox");
    }
    await stack.stopService();

    expect(await stack.collection("inbox").countDocuments({ _id: "stray" as never })).to.equal(1);
  });

  it("shows no fault while messages are sent, pushed, acknowledged, repeated and listed", async function () {
    this.timeout(60_000);
    await using stack = await ChatStack.start({ lingerMs: 5 });
    await using other = await stack.anotherCopy();
    await using database = openDatabase(stack.config.mongodbUri, "chat");
    const gateways = [await stack.gateway(), await stack.gateway(other.address)];
    const people = Array.from({ length: 8 }, () => stack.invite());
    const ended = new AbortController();

    const accepted: string[] = [];

    const traffic = people.map((account, index) => converse(gateways[index % 2] as FakeGateway, account, people, accepted, ended.signal));
    const reports = [];
    while (reports.length < 4 || accepted.length < 300) {
      reports.push(await verifyLedger(database.db, { graceMs: 1_000, repairs: reports.length % 2 === 0 }));
    }
    ended.abort();
    await Promise.all(traffic);
    const last = await verifyLedger(database.db, { graceMs: 1_000 });

    for (const { faults } of [...reports, last]) {
      expect(FAULT_KINDS.filter((kind) => faults[kind].found > 0)).to.deep.equal([]);
    }
    const { pending, delivered } = last.counts;
    expect(pending + delivered).to.equal(accepted.length);
    expect(last.bodies).to.equal(pending);
    expect(delivered).to.be.greaterThan(50);
  });
});

interface CountingCopy {
  count(): Promise<void>;
  /** What it shows. */
  accepted(): Promise<number | undefined>;
}

/** A copy that counts when it is told to. */
function countingCopy({ db }: LedgerBench, leases: Leases, copy: string): CountingCopy {
  const metrics = new Metrics();
  const events = {} as ChatEvents;
  const [round] = ledgerRounds({ db, leases, copy, metrics, events, now: Date.now }).filter(({ name }) => name === "count");
  return {
    count: async () => round?.run(new AbortController().signal),
    accepted: async () => (await valuesOf(metrics))["sallyport_ledger_accepted"],
  };
}

const OLDEST = "sallyport_ledger_oldest_pending_seconds";

/** Writes to others, repeats some of it, takes most of what it gets. `accepted` gets the ids of what was accepted. */
async function converse(
  gateway: FakeGateway,
  account: string,
  people: readonly string[],
  accepted: string[],
  ended: AbortSignal,
): Promise<void> {
  for (let turn = 0; !ended.aborted; turn += 1) {
    const [to, id] = [people[turn % people.length] as string, newUuid()];
    const [{ messageId }] = await Promise.all([
      gateway.send(account, to, id, id),
      ...(turn % 3 ? [] : [gateway.send(account, to, id, id)]),
    ]);
    accepted.push(messageId);
    const { messages } = await gateway.chat.listPending({ pageSize: 16 }, as(account));
    await gateway.chat.ackMessages({ messageIds: messages.slice(turn % 2).map((message) => message.id) }, as(account));
  }
}

function endedClaims(state: "expired" | "deleted", count: number): { _id: never; [field: string]: unknown }[] {
  const at = new Date();
  const purgeAt = new Date(Date.now() + 604_800_000);
  return Array.from({ length: count }, () => ({ _id: newUuid() as never, state, acceptedAt: at, [`${state}At`]: at, purgeAt }));
}

/** Reads metrics until they show something. */
async function until(
  metrics: Metrics,
  isSo: (values: Readonly<Record<string, number>>) => boolean,
): Promise<Readonly<Record<string, number>>> {
  for (;;) {
    const values = await valuesOf(metrics);
    if (isSo(values)) {
      return values;
    }
    await new Promise((next) => setImmediate(next));
  }
}

async function valuesOf(metrics: Metrics): Promise<Readonly<Record<string, number>>> {
  const samples = (await metrics.read()).flatMap((family) => family.samples);
  return Object.fromEntries(samples.map(({ name, labels, value }) => [[name, ...labels.map((label) => label.value)].join(" "), value]));
}
