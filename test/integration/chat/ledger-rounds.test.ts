import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { Metrics } from "../../../platform/metrics.ts";
import { openDatabase } from "../../../platform/mongo.ts";
import { FAULT_KINDS } from "../../../services/chat/ledger/faults.ts";
import { verifyLedger } from "../../../services/chat/ledger/verify.ts";
import { ChatStack } from "./chat-stack.ts";
import { as, type FakeGateway } from "./fake-gateway.ts";

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

    const shown = await until(metrics, (values) => values["sallyport_ledger_messages deleted"] === 4 && (values[OLDEST] ?? 0) >= 60);

    expect(shown).to.deep.include({
      "sallyport_ledger_messages pending": 1,
      "sallyport_ledger_messages delivered": 1,
      "sallyport_ledger_messages expired": 3,
      sallyport_ledger_accepted: 9,
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
    const samples = (await metrics.read()).flatMap((family) => family.samples);
    const values = Object.fromEntries(
      samples.map(({ name, labels, value }) => [[name, ...labels.map((label) => label.value)].join(" "), value]),
    );
    if (isSo(values)) {
      return values;
    }
    await new Promise((next) => setImmediate(next));
  }
}
