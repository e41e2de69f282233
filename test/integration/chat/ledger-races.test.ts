import { expect } from "chai";
import { acceptedAtOf, orderAt } from "../../../services/chat/delivery/hybrid-clock.ts";
import type { ChatMessage } from "../../../services/chat/delivery/message.ts";
import { FAULT_KINDS } from "../../../services/chat/ledger/faults.ts";
import { verifyLedger } from "../../../services/chat/ledger/verify.ts";
import { placeBodies } from "../../../services/chat/store/place-bodies.ts";
import type { InboxDocument } from "../../../services/chat/store/schema.ts";
import type { SendRecord } from "../../../services/chat/store/sends.ts";
import { type Hook, Pause } from "./intercepted-db.ts";
import { again, LedgerBench, messageOf, readInbox } from "./ledger-bench.ts";

const NOW = { graceMs: 0 };

describe("a repair of the ledger, and what happens between two of its steps", () => {
  it("does not take the claim away from a repeat that brings the body after the repair looked for it", async () => {
    await using bench = await LedgerBench.open();
    const [message, sender] = [messageOf(11), bench.copy()];
    const earlier = await claimOnly(bench, message);

    await verifyWith(bench, "sends.bulkWrite", async (go) => {
      await sender.custody.repeat(earlier, again(message));
      return go();
    });

    expect(await bench.record(message.id)).to.deep.include({ state: "pending", acceptedAt: earlier.acceptedAt });
    await expectWhole(bench, message);
  });

  it("lets a repeat that confirms too late claim its message anew", async () => {
    await using bench = await LedgerBench.open();
    const [message, sender, pause] = [messageOf(11), bench.copy(), new Pause()];
    const earlier = await claimOnly(bench, message);
    sender.hooks.set("sends.updateOne", pause.hook);
    let repeating: Promise<unknown> = Promise.resolve();

    await verifyWith(bench, "sends.bulkWrite", async (go) => {
      repeating = sender.custody.repeat(earlier, again(message));
      await pause.reached.opened;
      return go();
    });
    const given = await bench.record(message.id);
    pause.ended.open();
    const accepted = await repeating;

    expect(given).to.equal(undefined);
    expect((await bench.record(message.id))?.acceptedAt).to.be.greaterThan(earlier.acceptedAt);
    expect(accepted).to.deep.include({ state: "stored", acceptedAt: (await bench.record(message.id))?.acceptedAt });
    await expectWhole(bench, message);
  });

  it("does not take the claim away from a repeat that finds the body of a process that was paused", async () => {
    await using bench = await LedgerBench.open();
    const [message, sender] = [messageOf(11), bench.copy()];
    const { paused, wake } = await pauseBeforeBody(bench, message);
    const earlier = (await bench.record(message.id)) as SendRecord;

    await verifyWith(bench, "sends.bulkWrite", async (go) => {
      const waking = wake("sends.updateOne");
      await waking.reached.opened;
      await sender.custody.repeat(earlier, again(message));
      const outcome = await go();
      waking.ended.open();
      return outcome;
    });
    await paused;

    expect(await bench.record(message.id)).to.deep.include({ state: "pending", acceptedAt: earlier.acceptedAt });
    await expectWhole(bench, message);
  });

  it("leaves the body of a message that is claimed again while the body of its lost claim is removed", async () => {
    await using bench = await LedgerBench.open();
    const [message, sender] = [messageOf(11), bench.copy()];
    await bench.accept([message], 11);
    await bench.dropClaim(message);

    await verifyWith(bench, "inbox.bulkWrite", async (go) => {
      await sender.custody.store(again(message));
      return go();
    });

    expect((await bench.bodies()).map(({ acceptedAt }) => acceptedAt.getTime())).to.deep.equal([
      (await bench.record(message.id))?.acceptedAt,
    ]);
    await expectWhole(bench, message);
  });

  it("removes the body of a lost claim while a new one is still without its own, and that one comes", async () => {
    await using bench = await LedgerBench.open();
    const [message, sender, pause] = [messageOf(11), bench.copy(), new Pause()];
    await bench.accept([message], 11);
    await bench.dropClaim(message);
    sender.hooks.set("inbox.insertMany", pause.hook);

    const sending = sender.custody.store(again(message));
    await pause.reached.opened;
    const report = await verifyLedger(bench.db, NOW);
    pause.ended.open();
    await sending;

    expect(report.faults["body-without-claim"]).to.deep.include({ found: 1, repaired: 1 });
    await expectWhole(bench, message);
  });

  it("removes no claim that was young, by the clock of the database, when its body was looked for", async () => {
    await using bench = await LedgerBench.open();
    const message = messageOf();
    await bench.accept([message]);
    await bench.dropBody(message);
    let removals = 0;
    const count: Hook = (go) => {
      removals += 1;
      return go();
    };

    const ahead = { ...NOW, now: () => Date.now() + 660_000 };
    const report = await verifyLedger(bench.intercepted(new Map([["sends.bulkWrite", count]])), ahead);

    expect(report.faults["claim-without-body"]).to.deep.include({ found: 1, left: 1 });
    expect(removals).to.equal(0);
  });
});

describe("a claim that is given up between two steps of a process that has met it", () => {
  it("does not stand for the one of a process that sends the message again", async () => {
    await using bench = await LedgerBench.open();
    const [message, sender] = [messageOf(11), bench.copy()];
    await claimOnly(bench, message);
    sender.hooks.set("sends.insertMany", givingUpAfter(bench));

    const accepted = await sender.custody.store(again(message));

    expect((await bench.record(message.id))?.acceptedAt).to.equal(accepted.acceptedAt);
    await expectWhole(bench, message);
  });

  it("does not stand for the one of a process that delivers the message, when that claims it", async () => {
    await using bench = await LedgerBench.open();
    const [message, sender] = [messageOf(11), bench.copy()];
    await claimOnly(bench, message);
    sender.hooks.set("sends.insertMany", givingUpAfter(bench));

    const accepted = await sender.custody.record(again(message));

    expect(accepted.state).to.equal("delivered");
    expect(await bench.record(message.id)).to.deep.include({ state: "delivered", acceptedAt: accepted.acceptedAt });
  });

  it("does not stand for the one of a process that delivers the message, when that ends it", async () => {
    await using bench = await LedgerBench.open();
    const [message, sender] = [messageOf(11), bench.copy()];
    await claimOnly(bench, message);
    sender.hooks.set("sends.updateMany", async (go) => {
      sender.hooks.delete("sends.updateMany");
      await verifyLedger(bench.db, NOW);
      return go();
    });

    const accepted = await sender.custody.record(again(message));

    expect(accepted.state).to.equal("delivered");
    expect(await bench.record(message.id)).to.deep.include({ state: "delivered", acceptedAt: accepted.acceptedAt });
  });
});

describe("claims and bodies of one message in one write", () => {
  it("leave the body of the latest claim, in whatever order they come", async () => {
    await using bench = await LedgerBench.open();
    const message = messageOf();
    await bench.accept([message]);
    const [body] = (await bench.bodies()) as [InboxDocument];
    const of = (acceptedAt: number): InboxDocument => ({ ...body, acceptedAt: new Date(acceptedAt) });
    let writes = 0;
    const inbox = bench.intercepted(new Map([["inbox.insertMany", few]])).collection<InboxDocument>("inbox");
    function few(go: () => Promise<unknown>): Promise<unknown> {
      writes += 1;
      return writes > 10 ? Promise.reject(new Error("it does not end")) : go();
    }

    const rising = await placeBodies(inbox, [of(1), of(2)]);
    await bench.dropBody(message);
    const mixed = await placeBodies(inbox, [of(3), of(5), of(4), of(5)]);

    expect([rising, mixed]).to.deep.equal([
      [false, false],
      [false, true, false, true],
    ]);
    expect((await bench.bodies()).map(({ acceptedAt }) => acceptedAt.getTime())).to.deep.equal([5]);
  });

  it("are one claim that the others meet, which answer as it does", async () => {
    await using bench = await LedgerBench.open();
    const [message, sender] = [messageOf(), bench.copy()];
    const later = { ...message, order: orderAt(acceptedAtOf(message.order) + 500) };

    const accepted = await Promise.all([message, later].map((one) => sender.custody.store(one)));

    expect(accepted.map(({ acceptedAt }) => acceptedAt)).to.deep.equal([message, message].map(({ order }) => acceptedAtOf(order)));
    expect((await bench.record(message.id))?.acceptedAt).to.equal(acceptedAtOf(message.order));
    await expectWhole(bench, message);
  });
});

describe("a repeat of a message that has waited for long", () => {
  it("brings its body only where that is gone", async () => {
    await using bench = await LedgerBench.open();
    const [message, sender] = [messageOf(11), bench.copy()];
    await bench.accept([message], 11);
    const earlier = (await bench.record(message.id)) as SendRecord;
    sender.hooks.set("inbox.insertMany", () => Promise.reject(new Error("it is there")));

    const accepted = await sender.custody.repeat(earlier, again(message));

    expect(accepted).to.deep.include({ state: "stored", acceptedAt: earlier.acceptedAt });
    await expectWhole(bench, message);
  });
});

describe("a process that was paused between claim and body until the claim was given up", () => {
  it("claims the message anew when it wakes", async () => {
    await using bench = await LedgerBench.open();
    const message = messageOf(11);
    const { paused, wake } = await pauseBeforeBody(bench, message);
    const given = await verifyLedger(bench.db, NOW);

    wake().ended.open();
    const accepted = await paused;

    expect(given.faults["claim-without-body"]).to.deep.include({ found: 1, repaired: 1 });
    expect(accepted.acceptedAt).to.equal((await bench.record(message.id))?.acceptedAt);
    await expectWhole(bench, message);
  });

  it("brings nothing again that was sent by another copy and delivered meanwhile", async () => {
    await using bench = await LedgerBench.open();
    const [message, other] = [messageOf(11), bench.copy()];
    const { paused, wake } = await pauseBeforeBody(bench, message);
    await verifyLedger(bench.db, NOW);
    await other.custody.store(again(message));
    await other.custody.forget(message.recipientId, [message.id]);

    wake().ended.open();
    const accepted = await paused;

    expect(accepted.state).to.equal("delivered");
    expect(await bench.bodies()).to.deep.equal([]);
    expect(await readInbox(other, message)).to.deep.equal([]);
  });

  it("leaves the body in its place that another copy has stored meanwhile", async () => {
    await using bench = await LedgerBench.open();
    const [message, other] = [messageOf(11), bench.copy()];
    const { paused, wake } = await pauseBeforeBody(bench, message);
    await verifyLedger(bench.db, NOW);
    const stored = await other.custody.store(again(message));

    wake().ended.open();
    const accepted = await paused;

    expect(accepted).to.deep.equal(stored);
    await expectWhole(bench, message);
  });

  it("leaves a body that is never pushed, and that the reader or the next repair removes, when it dies before it claims anew", async () => {
    await using bench = await LedgerBench.open();
    const messages = [messageOf(11), messageOf(11)] as const;
    const copies = await Promise.all(messages.map((message) => pauseBeforeBody(bench, message)));
    await verifyLedger(bench.db, NOW);
    await Promise.all(copies.map(({ wake }) => wake("sends.updateOne").reached.opened));

    const before = (await bench.bodies()).length;
    const pushed = await readInbox(bench.copy(), messages[0]);
    const report = await verifyLedger(bench.db, NOW);

    expect([before, pushed]).to.deep.equal([2, []]);
    expect(report.faults["body-without-claim"]).to.deep.include({ found: 1, repaired: 1, examples: [messages[1].id] });
    expect(await bench.bodies()).to.deep.equal([]);
    await bench.accept(messages.map(again));
    await expectWhole(bench, messages[0]);
  });
});

describe("a claim", () => {
  it("is never made under a time at which an earlier one may have been given up", async () => {
    await using bench = await LedgerBench.open();
    const message = messageOf(11);

    const accepted = await bench.copy().custody.store(message);

    expect(accepted.acceptedAt).to.be.greaterThan(Date.now() - 60_000);
    expect((await bench.record(message.id))?.acceptedAt).to.equal(accepted.acceptedAt);
    await expectWhole(bench, message);
  });
});

describe("reading an inbox", () => {
  it("brings no body of another claim than the one that waits", async () => {
    await using bench = await LedgerBench.open();
    const [message, sender, pause] = [messageOf(11), bench.copy(), new Pause()];
    await bench.accept([message], 11);
    await bench.dropClaim(message);
    sender.hooks.set("inbox.insertMany", pause.hook);

    const sending = sender.custody.store(again(message));
    await pause.reached.opened;
    const early = await readInbox(bench.copy(), message);
    pause.ended.open();
    await sending;

    expect(early).to.deep.equal([]);
    await expectWhole(bench, message);
  });
});

/** A claim whose body never came, as a crash leaves it. */
async function claimOnly(bench: LedgerBench, message: ChatMessage): Promise<SendRecord> {
  await bench.accept([message], 11);
  await bench.dropBody(message);
  return (await bench.record(message.id)) as SendRecord;
}

/** What was met is given up before it is looked at. */
function givingUpAfter(bench: LedgerBench): Hook {
  return async (go) => {
    try {
      return await go();
    } catch (error) {
      await verifyLedger(bench.db, NOW);
      throw error;
    }
  };
}

/** Checks and repairs; what passes the hook is held in the middle of it. */
async function verifyWith(bench: LedgerBench, operation: string, hook: Hook): Promise<void> {
  const hooks = new Map<string, Hook>();
  const once: Hook = (go) => {
    hooks.delete(operation);
    return hook(go);
  };
  await verifyLedger(bench.intercepted(hooks.set(operation, once)), NOW);
  expect(hooks.size).to.equal(0);
}

/**
 * A copy that claimed a message 11 minutes ago and was paused before it brought the body. Awake, it knows the time, and may be held
 * again at another operation.
 */
async function pauseBeforeBody(bench: LedgerBench, message: ChatMessage) {
  const [copy, pause] = [bench.copy(), new Pause()];
  copy.lagMs = 660_000;
  copy.hooks.set("inbox.insertMany", pause.hook);
  const paused = copy.custody.store(message);
  await pause.reached.opened;
  copy.hooks.delete("inbox.insertMany");
  const wake = (operation?: string): Pause => {
    const next = new Pause();
    if (operation !== undefined) {
      copy.hooks.set(operation, next.hook);
    }
    copy.lagMs = 0;
    pause.ended.open();
    return next;
  };
  return { paused, wake };
}

/** The message waits, once and for good: no check finds anything, its body stays, its recipient is brought it. */
async function expectWhole(bench: LedgerBench, message: ChatMessage): Promise<void> {
  const { faults, unanswered } = await verifyLedger(bench.db, NOW);
  expect([unanswered, ...FAULT_KINDS.map((kind) => faults[kind].found)]).to.deep.equal([0, 0, 0, 0, 0, 0]);
  const bodies: readonly InboxDocument[] = await bench.bodies();
  expect(bodies.filter(({ _id }) => _id === message.id)).to.have.lengthOf(1);
  expect(await readInbox(bench.copy(), message)).to.deep.equal([message.id]);
}
