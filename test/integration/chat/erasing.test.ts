import { expect } from "chai";
import { derivedUuid, newUuid } from "../../../platform/ids.ts";
import { type Client, createClient } from "../../../platform/rpc/client.ts";
import { type ErasureServiceRpcs, erasureService } from "../../../proto/gen/policy/services.ts";
import { MessageState, State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { ReportState } from "../../../proto/gen/sallyport/chat/v1/moderation.ts";
import { NIL_UUID } from "../../../services/chat/store/reports.ts";
import { ChatStack } from "./chat-stack.ts";
import { converse, evidence } from "./evidence.ts";
import { as, asOperator } from "./fake-gateway.ts";
import { refusalOf } from "./refusal.ts";

const FULL = 10_000;

describe("erasing an account", () => {
  it("ends a full inbox within one call, and nothing of anybody else's", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob, carol] = [stack.invite(), stack.invite(), stack.invite()];
    await fill(stack, bob, FULL - 1);
    const clientMessageId = newUuid();
    await gateway.send(alice, carol, newUuid(), "for carol");
    await gateway.send(bob, carol, newUuid(), "from bob");
    await gateway.send(alice, bob, clientMessageId, "for bob");

    await erase(stack, bob);

    const kept = await gateway.chat.listPending({ pageSize: 0 }, as(carol));
    const { states } = await gateway.chat.getMessageStates({ clientMessageIds: [clientMessageId] }, as(alice));
    const ledger = await countByState(stack);
    expect(kept.messages.map(({ body }) => body.toString())).to.deep.equal(["for carol", "from bob"]);
    expect(states.map(({ state }) => state)).to.deep.equal([MessageState.EXPIRED]);
    expect(ledger).to.deep.equal({ deleted: FULL, pending: 2 });
    expect((await stack.documents("inbox")).map(({ recipientId }) => recipientId)).to.deep.equal([carol, carol]);
  });

  it("takes in what lingers on an attached socket; its sender has one answer, and the recipient does not exist any more", async () => {
    await using stack = await ChatStack.start({ lingerMs: 60_000 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const socket = await gateway.open(bob);
    await socket.receiveEvent("queueEmpty");
    const [first, second] = [newUuid(), newUuid()];
    const sending = gateway.send(alice, bob, first, "lingers");
    await socket.receive(1);

    await erase(stack, bob);
    const sent = await sending;
    await socket.ack(sent.messageId);
    await socket.detach();
    const again = await gateway.send(alice, bob, first, "lingers");
    const refused = await refusalOf(gateway.send(alice, bob, second, "too late"));

    const { states } = await gateway.chat.getMessageStates({ clientMessageIds: [first, second] }, as(alice));
    expect([sent.state, again.state]).to.deep.equal([State.STORED, State.EXPIRED]);
    expect([again.messageId, again.receipt]).to.deep.equal([sent.messageId, sent.receipt]);
    expect([refused.status, refused.reason]).to.deep.equal(["NOT_FOUND", "RECIPIENT_NOT_FOUND"]);
    expect(states.map(({ state }) => state)).to.deep.equal([MessageState.EXPIRED, MessageState.UNKNOWN]);
    expect(await countByState(stack)).to.deep.equal({ deleted: 1 });
    expect([await stack.documents("inbox"), await stack.documents("presence")]).to.deep.equal([[], []]);
  });

  it("waits for the sends that were let in before it", async () => {
    await using stack = await ChatStack.start({ healMs: 60_000 });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const { asked, release } = stack.holdDirectory();
    const sending = gateway.send(alice, bob, newUuid(), "on its way");
    await asked;

    const erasing = erase(stack, bob);
    // Enough for an erasure that does not wait.
    for (let round = 0; round < 50; round += 1) {
      await stack.documents("erasures");
    }
    release();
    await erasing;

    expect((await sending).state).to.equal(State.STORED);
    expect(await countByState(stack)).to.deep.equal({ deleted: 1 });
    expect(await stack.documents("inbox")).to.deep.equal([]);
  });

  it("leaves every accepted message in one state while messages and acknowledgements go on arriving", async () => {
    await using stack = await ChatStack.start({ lingerMs: 5 });
    const gateway = await stack.gateway();
    const [bob, ...senders] = Array.from({ length: 9 }, () => stack.invite());
    const recipient = bob ?? "";
    const socket = await gateway.open(recipient);
    const accepted: string[] = [];
    const refusals = new Set<string>();

    const sending = senders.map(async (sender) => {
      for (let isGone = false; !isGone; ) {
        const id = newUuid();
        await gateway.send(sender, recipient, id, "again").then(
          ({ messageId }) => accepted.push(messageId),
          ({ status }) => {
            isGone = true;
            refusals.add(status);
          },
        );
      }
    });
    const messages = await socket.receive(100);
    const acknowledging = socket.ack(...messages.slice(0, 60).map(({ id }) => id));
    await erase(stack, recipient);
    await Promise.all([acknowledging, ...sending]);

    const ledger = await stack.documents("sends");
    const counts = await countByState(stack);
    expect([...refusals]).to.deep.equal(["NOT_FOUND"]);
    expect(ledger.map(({ _id }) => _id)).to.have.members(accepted);
    expect(Object.keys(counts).sort()).to.deep.equal(["deleted", "delivered"]);
    expect(counts["delivered"]).to.be.at.most(60);
    expect(await stack.documents("inbox")).to.deep.equal([]);
  });

  it("is made whole by the rounds where another copy still held something or somebody called late", async () => {
    await using stack = await ChatStack.start({ lingerMs: 60_000, healMs: 20 });
    await using other = await stack.anotherCopy();
    const [gateway, there] = [await stack.gateway(), await stack.gateway(other.address)];
    const [alice, bob] = [stack.invite(), stack.invite()];
    const socket = await there.open(bob);
    await socket.receiveEvent("queueEmpty");
    const sending = there.send(alice, bob, newUuid(), "elsewhere");
    await socket.receive(1);

    await erase(stack, bob);
    await gateway.chat.blockAccount({ accountId: alice }, as(bob));
    await socket.detach();
    await sending;
    await until(async () => (await countByState(stack))["deleted"] === 1);
    // The ledger comes first, so the others may be a moment behind.
    for (const collection of ["blocks", "inbox", "presence"]) {
      await until(async () => (await stack.documents(collection)).length === 0);
    }
  });

  it("gives no body back to a claim that a crash left without one", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const clientMessageId = newUuid();
    const sent = await gateway.send(alice, bob, clientMessageId, "lost");
    await stack.collection("inbox").deleteMany({});

    await erase(stack, bob);
    const again = await gateway.send(alice, bob, clientMessageId, "lost");

    expect([again.messageId, again.state]).to.deep.equal([sent.messageId, State.EXPIRED]);
    expect(await countByState(stack)).to.deep.equal({ deleted: 1 });
    expect(await stack.documents("inbox")).to.deep.equal([]);
  });

  it("removes blocks of both sides and the account's bucket; a repeat, also of an account that never was, is fine", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob, carol] = [stack.invite(), stack.invite(), stack.invite()];
    for (const [owner, accountId] of [
      [alice, bob],
      [bob, alice],
      [carol, alice],
    ] as const) {
      await gateway.chat.blockAccount({ accountId }, as(owner));
    }
    await refusalOf(gateway.chat.reportMessages({ reason: "", messages: [] }, as(bob)));
    const before = await stack.documents("reportBuckets");

    await erase(stack, bob);
    await erase(stack, bob);
    await erase(stack, newUuid());

    expect(before).to.have.lengthOf(1);
    expect((await stack.documents("blocks")).map(({ ownerId, blockedId }) => [ownerId, blockedId])).to.deep.equal([[carol, alice]]);
    expect(await stack.documents("reportBuckets")).to.deep.equal([]);
  });

  it("takes what is personal out of the reports that it filed, and leaves those about it as they are", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob, carol, dave] = [stack.invite(), stack.invite(), stack.invite(), stack.invite()];
    const toBob = await converse(gateway, alice, bob, ["from alice"]);
    const toAlice = await converse(gateway, bob, alice, ["from bob"]);
    const toCarol = await converse(gateway, alice, carol, ["alice to carol"]);
    const messages = evidence([...toBob, ...toAlice]);
    const byBob = await gateway.chat.reportMessages({ reason: "private", messages }, as(bob));
    const onlyHers = await gateway.chat.reportMessages({ reason: "", messages: messages.slice(0, 1) }, as(bob));
    const byAlice = await gateway.chat.reportMessages({ reason: "stays", messages }, as(alice));
    const toDave = await converse(gateway, alice, dave, ["alice to dave"]);
    await gateway.chat.reportMessages({ reason: "", messages: evidence(toCarol) }, as(carol));
    await gateway.chat.reportMessages({ reason: "", messages: evidence(toDave) }, as(dave));
    const aboutBob = await gateway.moderation.getReport(byAlice, asOperator());

    await erase(stack, dave);
    await erase(stack, bob);
    await erase(stack, bob);

    const shown = await gateway.moderation.getReport(byBob, asOperator());
    const { reports } = await gateway.moderation.listReports({ state: ReportState.OPEN, pageSize: 0, pageToken: "" }, asOperator());
    const filed = (await stack.documents("reports")).filter(({ _id }) => [byBob.reportId, onlyHers.reportId].includes(_id));
    expect([shown.report?.reporterAccountId, shown.report?.reason, shown.report?.messageCount]).to.deep.equal([NIL_UUID, "", 2]);
    expect(shown.messages.map((one) => [one.senderAccountId, one.recipientAccountId, one.body.toString()])).to.deep.equal([
      [alice, NIL_UUID, "from alice"],
      [NIL_UUID, alice, ""],
    ]);
    expect(shown.reportedAccounts).to.deep.equal([{ accountId: alice, distinctReporters: 3 }]);
    expect(reports.find(({ reportId }) => reportId === byBob.reportId)?.reporterAccountId).to.equal(NIL_UUID);
    expect(filed).to.have.lengthOf(2);
    expect(JSON.stringify(filed)).to.not.match(new RegExp(`${bob}|receipt|private`));
    expect(await gateway.moderation.getReport(byAlice, asOperator())).to.deep.equal(aboutBob);
    expect(aboutBob.messages.map(({ body }) => body.toString())).to.deep.equal(["from alice", "from bob"]);
  });
});

/** As the account service does it: the account is gone there before it is erased here. */
async function erase(stack: ChatStack, accountId: string): Promise<void> {
  stack.expel(accountId);
  const client: Client<ErasureServiceRpcs> = createClient(erasureService, stack.channel());
  await client.eraseAccount({ accountId: accountId.toUpperCase() }, { deadline: Date.now() + 15_000 });
}

/** Makes an inbox full without sending all of it. */
async function fill(stack: ChatStack, recipientId: string, count: number): Promise<void> {
  const [acceptedAt, expiresAt] = [new Date(), new Date(Date.now() + 86_400_000)];
  const ids = Array.from({ length: count }, (_, index) => derivedUuid(`${recipientId} ${index}`));
  const claims = ids.map((_id) => ({ _id, state: "pending", acceptedAt, expiresAt, kid: "k", digest: Buffer.alloc(32), digestKid: "k" }));
  const bodies = ids.map((_id, order) => ({
    ...{ _id, recipientId, senderId: newUuid(), clientMessageId: newUuid(), acceptedAt, order, size: 1, receiptKid: "k" },
    sealed: { scheme: "caesar", shift: 1, body: Buffer.alloc(1) },
  }));
  await stack.collection("sends").insertMany(claims as never[]);
  await stack.collection("inbox").insertMany(bodies as never[]);
}

async function countByState(stack: ChatStack): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of await stack.documents("sends")) {
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
