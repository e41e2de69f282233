import { expect } from "chai";
import type { SallyportError } from "../../../platform/errors.ts";
import { newUuid } from "../../../platform/ids.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import { type Db, openDatabase } from "../../../platform/mongo.ts";
import { Inbox } from "../../../services/chat/store/inbox.ts";
import { Presence } from "../../../services/chat/store/presence.ts";
import type { Holder, InboxDocument } from "../../../services/chat/store/schema.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";
import { type Hook, interceptedDb, Pause } from "./intercepted-db.ts";

const HOUR_MS = 3_600_000;

describe("epochs that are claimed together", () => {
  it("have each the outcome that it would have had alone", async () => {
    await using scene = openScene();
    const { presence } = scene;
    const [known, late, unknown, unknownAndLate] = await scene.accounts(4);
    await Promise.all([known, late].map((id) => presence.claimEpoch(id, soon())));

    const claims = [known, late, unknown, unknownAndLate].map((id) =>
      presence.claimEpoch(id, id === late || id === unknownAndLate ? past() : soon()).catch(reasonOf),
    );

    expect(await Promise.all(claims)).to.deep.equal([2, "DEADLINE_EXCEEDED", 1, "DEADLINE_EXCEEDED"]);
    expect(await presence.claimEpoch(late, soon())).to.equal(2);
  });

  it("are the socket's own when some are of one account", async () => {
    await using scene = openScene();
    const { presence } = scene;
    const [one, other] = await scene.accounts(2);

    const epochs = await Promise.all([one, one, other, one].map((id) => presence.claimEpoch(id, soon())));

    expect(new Set([epochs[0], epochs[1], epochs[3]]).size).to.equal(3);
    expect(await presence.claimEpoch(one, soon())).to.be.greaterThan(Math.max(...epochs));
  });

  for (const moment of ["before", "after"] as const) {
    it(`are nobody else's when another copy claims one right ${moment} they are written`, async () => {
      await using scene = openScene();
      const { presence, elsewhere } = scene;
      const [one, other, late] = await scene.accounts(3);
      await Promise.all([one, other, late].map((id) => presence.claimEpoch(id, soon())));
      const taken: number[] = [];
      scene.at("presence.bulkWrite", moment, async () => void taken.push(await elsewhere.claimEpoch(one, soon())));

      const claims = [one, other, late].map((id) => presence.claimEpoch(id, id === late ? past() : soon()).catch(reasonOf));
      const [ofOne, ofOther, ofLate] = await Promise.all(claims);

      expect(taken).to.have.lengthOf(1);
      expect(ofOne).to.be.a("number").that.does.not.equal(taken[0]);
      expect(ofOther).to.be.a("number").that.is.greaterThan(1);
      expect(ofLate).to.equal("DEADLINE_EXCEEDED");
    });
  }
});

describe("sockets that take over together", () => {
  it("have each the outcome that it would have had alone", async () => {
    await using scene = openScene();
    const { presence } = scene;
    const [free, held, late, outdated, behind, again, unknown] = await scene.accounts(7);
    await Promise.all([free, held, late, outdated, behind, again].map((id) => presence.claimEpoch(id, soon())));
    await scene.hold({ [held]: holderOf(1), [late]: holderOf(1), [outdated]: holderOf(3), [behind]: holderOf(4, 1), [again]: holderOf(2) });

    const taken = await Promise.all(
      [free, held, late, outdated, behind, again, unknown].map((id) =>
        presence.takeOver(id, holderOf(2), id === late ? past() : soon()).catch(reasonOf),
      ),
    );

    expect(taken).to.deep.equal([
      { kind: "taken", previous: undefined },
      { kind: "taken", previous: holderOf(1) },
      "DEADLINE_EXCEEDED",
      { kind: "outdated", heir: holderOf(3) },
      "EPOCH_OVERTAKEN",
      { kind: "taken", previous: undefined },
      "DEADLINE_EXCEEDED",
    ]);
    expect(await scene.epochs([free, held, late, outdated, behind, again])).to.deep.equal([2, 2, 1, 3, 4, 2]);
  });

  it("are one after the other when they are of one account", async () => {
    await using scene = openScene();
    const { presence } = scene;
    const [account] = await scene.accounts(1);
    await presence.claimEpoch(account, soon());
    await scene.hold({ [account]: holderOf(1) });

    const [older, newer] = await Promise.all([2, 3].map((epoch) => presence.takeOver(account, holderOf(epoch), soon())));

    expect(newer?.kind).to.equal("taken");
    expect([
      [
        { kind: "taken", previous: holderOf(1) },
        { kind: "taken", previous: holderOf(2) },
      ],
      [
        { kind: "outdated", heir: holderOf(3) },
        { kind: "taken", previous: holderOf(1) },
      ],
    ]).to.deep.include([older, newer]);
    expect(await scene.epochs([account])).to.deep.equal([3]);
  });

  it("have the events of whom another copy gave them to right before they are written", async () => {
    await using scene = openScene();
    const { presence, elsewhere } = scene;
    const [one, other] = await scene.accounts(2);
    await Promise.all([one, other].map((id) => presence.claimEpoch(id, soon())));
    scene.at("presence.bulkWrite", "before", () => elsewhere.takeOver(one, holderOf(1), soon()));

    const taken = await Promise.all([one, other].map((id) => presence.takeOver(id, holderOf(2), soon())));

    expect(taken).to.deep.equal([
      { kind: "taken", previous: holderOf(1) },
      { kind: "taken", previous: undefined },
    ]);
  });

  for (const isGone of [false, true]) {
    it(`know whom they displaced, also when a newer one came elsewhere in the same moment${isGone ? " and went" : ""}`, async () => {
      await using scene = openScene();
      const { presence, elsewhere } = scene;
      const [one, late] = await scene.accounts(2);
      await Promise.all([one, late].map((id) => presence.claimEpoch(id, soon())));
      await scene.hold({ [one]: holderOf(1), [late]: holderOf(1) });
      scene.at("presence.bulkWrite", "after", async () => {
        await elsewhere.takeOver(one, holderOf(3), soon());
        if (isGone) {
          await elsewhere.giveUp(one, 3, holderOf(1));
        }
      });

      const taken = [one, late].map((id) => presence.takeOver(id, holderOf(2), id === late ? past() : soon()).catch(reasonOf));

      expect(await Promise.all(taken)).to.deep.equal([{ kind: "taken", previous: holderOf(1) }, "DEADLINE_EXCEEDED"]);
    });
  }
});

describe("sockets that go away together", () => {
  it("have each the outcome that it would have had alone", async () => {
    await using scene = openScene();
    const { presence } = scene;
    const [current, displaced, nobody, unknown, undone] = await scene.accounts(5);
    await Promise.all([current, displaced, nobody, undone].map((id) => presence.claimEpoch(id, soon())));
    await scene.hold({ [current]: holderOf(2), [displaced]: holderOf(3), [undone]: holderOf(2) });

    const gone = await Promise.all([
      ...[current, displaced, nobody, unknown].map((id) => presence.giveUp(id, 2)),
      presence.giveUp(undone, 2, holderOf(1)),
      presence.giveUp(current, 1),
    ]);

    expect(gone).to.deep.equal([true, false, false, false, true, false]);
    expect(await scene.epochs([current, displaced, nobody, undone])).to.deep.equal([undefined, 3, undefined, 1]);
  });

  it("are not told twice that they had the events", async () => {
    await using scene = openScene();
    const { presence } = scene;
    const [account] = await scene.accounts(1);
    await presence.claimEpoch(account, soon());
    await scene.hold({ [account]: holderOf(1) });

    const gone = await Promise.all([presence.giveUp(account, 1), presence.giveUp(account, 1)]);

    expect(gone.filter((one) => one)).to.have.lengthOf(1);
    expect(await presence.giveUp(account, 1)).to.equal(false);
  });
});

describe("a hundred sockets that come and go at once", () => {
  it("ask the database a few times", async () => {
    await using scene = openScene();
    const { presence, inbox } = scene;
    const accounts = await scene.accounts(100);
    const together = <T>(act: (id: string) => Promise<T>): Promise<T[]> => Promise.all(accounts.map(act));
    await together((id) => presence.claimEpoch(id, soon()));
    const asked = scene.count(
      "presence.find",
      "presence.insertMany",
      "presence.findOneAndUpdate",
      "presence.bulkWrite",
      "inbox.find",
      "inbox.distinct",
    );

    await together((id) => presence.claimEpoch(id, soon()));
    await together((id) => presence.takeOver(id, holderOf(2), soon()));
    const pages = await together((id) => inbox.readOldest(id, PAGE));
    await together((id) => presence.giveUp(id, 2));

    expect(pages).to.deep.equal(accounts.map(() => ({ documents: [], exhausted: true })));
    expect(asked).to.deep.equal({ "presence.find": 2, "presence.bulkWrite": 3, "inbox.distinct": 1 });
  });

  it("read what waits for them, and only they", async () => {
    await using scene = openScene();
    const { inbox } = scene;
    const [one, other] = await scene.accounts(2);
    await inbox.add(bodyFor(one));
    const asked = scene.count("inbox.find", "inbox.distinct");

    const pages = await Promise.all([one, other].map((id) => inbox.readOldest(id, PAGE)));

    expect(pages.map(({ documents }) => documents.map(({ recipientId }) => recipientId))).to.deep.equal([[one], []]);
    expect(asked).to.deep.equal({ "inbox.find": 1, "inbox.distinct": 1 });
  });

  it("see what was stored before they asked, though others are being answered", async () => {
    await using scene = openScene();
    const { inbox } = scene;
    const [first, second] = await scene.accounts(2);
    const pause = new Pause();
    scene.hooks.set("inbox.distinct", async (go) => {
      scene.hooks.delete("inbox.distinct");
      const found = await go();
      return pause.hook(() => Promise.resolve(found));
    });
    const answered = inbox.readOldest(first, PAGE);
    await pause.reached.opened;
    await inbox.add(bodyFor(second));
    const page = inbox.readOldest(second, PAGE);
    pause.ended.open();

    expect((await answered).documents).to.have.lengthOf(0);
    expect((await page).documents).to.have.lengthOf(1);
  });
});

const PAGE = { exclude: [], maxMessages: 256, maxBytes: 262_144 };

interface Scene extends AsyncDisposable {
  readonly presence: Presence;
  /** The presence as another copy has it. */
  readonly elsewhere: Presence;
  readonly inbox: Inbox;
  readonly hooks: Map<string, Hook>;
  accounts(count: number): Promise<string[] & [string, string, string, string, string, string, string]>;
  /** Says who has the events of accounts. */
  hold(holders: Readonly<Record<string, Holder>>): Promise<void>;
  /** The epochs of those that have the events. */
  epochs(accountIds: readonly string[]): Promise<(number | undefined)[]>;
  /** Does something once, right before or after an operation. */
  at(operation: string, moment: "before" | "after", act: () => Promise<unknown>): void;
  /** How often operations are asked from here on. */
  count(...operations: readonly string[]): Record<string, number>;
}

function openScene(): Scene {
  const parts = new Disposables();
  const { db } = parts.use(openDatabase(freshDatabaseUri(), "chat"));
  parts.defer(() => db.dropDatabase().then(() => undefined));
  const hooks = new Map<string, Hook>();
  const elsewhere = new Presence(db);
  return {
    presence: new Presence(interceptedDb(db, hooks)),
    elsewhere,
    inbox: new Inbox(interceptedDb(db, hooks)),
    hooks,
    accounts: async (count) => Array.from({ length: count }, newUuid) as never,
    hold: (holders) => hold(db, holders),
    epochs: async (accountIds) => {
      const found = await elsewhere.findAll(accountIds);
      return accountIds.map((id) => found.get(id)?.epoch);
    },
    at: (operation, moment, act) => {
      hooks.set(operation, async (go) => {
        hooks.delete(operation);
        if (moment === "before") {
          await act();
        }
        const outcome = await go();
        if (moment === "after") {
          await act();
        }
        return outcome;
      });
    },
    count: (...operations) => {
      const counts: Record<string, number> = {};
      for (const operation of operations) {
        hooks.set(operation, (go) => {
          counts[operation] = (counts[operation] ?? 0) + 1;
          return go();
        });
      }
      return counts;
    },
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  };
}

async function hold(db: Db, holders: Readonly<Record<string, Holder>>): Promise<void> {
  for (const [id, current] of Object.entries(holders)) {
    await db.collection("presence").updateOne({ _id: id as never }, { $set: { current } });
  }
}

function holderOf(epoch: number, rank = 0): Holder {
  const socket = { incarnation: "00000000-0000-4000-8000-000000000000", copy: "11111111-1111-4111-8111-111111111111" };
  return { ...socket, connection: epoch, epoch, ...(rank > 0 && { rank }) };
}

function bodyFor(recipientId: string): InboxDocument {
  const facts = { senderId: "s", clientMessageId: "c", acceptedAt: new Date(1), order: 1, size: 1, receiptKid: "k" };
  return { _id: newUuid(), recipientId, ...facts, sealed: { scheme: "caesar", body: Buffer.of(1) } as unknown as InboxDocument["sealed"] };
}

function reasonOf({ reason }: SallyportError): string | undefined {
  return reason;
}

function soon(): number {
  return Date.now() + HOUR_MS;
}

function past(): number {
  return Date.now() - HOUR_MS;
}
