import { expect } from "chai";
import { write } from "../../bin/chaos/correspondence.ts";
import type { Verdict } from "../../bin/chaos/verdict.ts";
import { as, FakeGateway } from "../integration/chat/fake-gateway.ts";
import type { Mutation } from "../support/mutated-build.ts";
import { NEVER, newPerson, newWorld, startMutated } from "./controls-scene.ts";

/** For how long the harness thinks that the end of a newer connection explains a displacement, in milliseconds. */
const GONE_AFTER_MS = 500;
const ACTIVATE_MS = 1_000;

/** What is too late is done all the same, by the process and by the database. */
const WITHOUT_FENCES: readonly Mutation[] = [
  { file: "platform/rpc/answer.js", text: "if (deadline <= Date.now()) {", instead: "if (deadline <= 0) {" },
  {
    file: "services/chat/store/presence.js",
    text: 'return { $expr: { $lt: ["$$NOW", new Date(deadline)] } };',
    instead: "return {};",
  },
];

/** Resolves once an instant has passed. */
async function passed(instant: number): Promise<void> {
  while (Date.now() <= instant) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The chat service is paused between the attachment of a newer connection and its activation, and wakes when that connection is long gone. */
async function wakeLate(mutations: readonly Mutation[]): Promise<Verdict> {
  await using stack = await startMutated(mutations);
  const world = newWorld(GONE_AFTER_MS);
  await using person = await newPerson(world, stack.httpUrl);
  const { accountId } = person;
  await person.open().queueEmpty(NEVER);
  using gateway = new FakeGateway(stack.chatTarget);
  await gateway.connected();
  await gateway.renewLease();
  const chat = await stack.pidOf("chat");

  const { connection, epoch } = await gateway.attach(accountId);
  const newer = world.ledger.openSocket(accountId, world.nextConnection(), Date.now());
  newer.exchanged(Date.now());
  process.kill(chat, "SIGSTOP");
  const activated = gateway.delivery.activate({ connection, epoch, rank: 0 }, as(accountId, ACTIVATE_MS)).catch(() => undefined);
  const detached = gateway.delivery.detach({ connection, epoch }, as(accountId));
  newer.ended(Date.now());
  await passed(Date.now() + ACTIVATE_MS + GONE_AFTER_MS);
  process.kill(chat, "SIGCONT");
  await Promise.all([activated, detached]);
  // Attachments of one account take turns: after this one, the late activation has had its own.
  await gateway.attach(accountId);
  await write(person, accountId, 64, NEVER);

  return world.ledger.verdict(new Set());
}

describe("an activation that sat in a paused chat copy, of a connection that is gone", () => {
  it("shows as a ghost that displaced the connection which is there, when deadlines are not kept", async function () {
    this.timeout(60_000);

    const verdict = await wakeLate(WITHOUT_FENCES);

    expect(verdict.ghostDisplaced).to.have.length(1);
  });

  it("does not as it is", async function () {
    this.timeout(60_000);

    const verdict = await wakeLate([]);

    expect(verdict).to.deep.include({ accepted: 1, ghostDisplaced: [], loggedOut: [] });
  });
});
