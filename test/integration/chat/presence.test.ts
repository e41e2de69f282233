import { expect } from "chai";
import fc from "fast-check";
import { SallyportError } from "../../../platform/errors.ts";
import { newUuid } from "../../../platform/ids.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import { type Db, openDatabase } from "../../../platform/mongo.ts";
import { claimEpoch, giveUp, type PresenceState, takeOver } from "../../../services/chat/delivery/presence-rules.ts";
import { Presence } from "../../../services/chat/store/presence.ts";
import type { Holder, PresenceDocument } from "../../../services/chat/store/schema.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";

/** A moment of the rules, a deadline after it, and one before. */
const [NOW, LATER, EARLIER] = [1_000, 2_000, 500];
const HOUR_MS = 3_600_000;

type Step =
  | { readonly kind: "claim"; readonly isLate: boolean }
  | { readonly kind: "takeOver"; readonly epoch: number; readonly rank: number; readonly isLate: boolean }
  | { readonly kind: "giveUp"; readonly epoch: number; readonly heir: number | undefined };

const epoch = fc.integer({ min: 1, max: 5 });
const isLate = fc.constantFrom(false, false, false, true);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("claim" as const), isLate }),
  fc.record({ kind: fc.constant("takeOver" as const), epoch, rank: fc.integer({ min: 0, max: 5 }), isLate }),
  fc.record({ kind: fc.constant("giveUp" as const), epoch, heir: fc.option(epoch, { nil: undefined }) }),
);

describe("the presence of an account", () => {
  it("is in the database what its rules say, whatever happens to it", async function () {
    this.timeout(60_000);
    await using scene = openPresence();
    const { presence, db } = scene;

    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25, size: "max" }), async (steps) => {
        const accountId = newUuid();
        let state: PresenceState | undefined;
        for (const one of [{ kind: "claim", isLate: false } as const, ...steps]) {
          const [next, expected] = byTheRules(state, one);
          const outcome = await inTheDatabase(presence, accountId, one);
          state = next;
          expect(outcome).to.deep.equal(expected);
        }
        const document = await db.collection<PresenceDocument>("presence").findOne({ _id: accountId }, { projection: { left: 0 } });
        expect(document).to.deep.equal({ _id: accountId, ...state });
        expect(await presence.find(accountId)).to.deep.equal(state?.current);
      }),
      { numRuns: 60, seed: 20_260_102 },
    );
  });

  it("stays that of a newer socket when an older one is attached again", async () => {
    await using scene = openPresence();
    const { presence } = scene;
    const accountId = newUuid();
    const deadline = Date.now() + HOUR_MS;
    const [first, newer, again] = [1, 2, 3];
    await presence.claimEpoch(accountId, deadline);
    await presence.takeOver(accountId, holderOf(first), deadline);
    await presence.takeOver(accountId, holderOf(newer), deadline);

    const taken = await presence.takeOver(accountId, holderOf(again, first), deadline);

    expect(taken).to.deep.equal({ kind: "outdated", heir: holderOf(newer) });
  });

  it("goes to the newer socket though an older one was attached again before it, once it has a newer epoch", async () => {
    await using scene = openPresence();
    const { presence } = scene;
    const accountId = newUuid();
    const deadline = Date.now() + HOUR_MS;
    const [first, newer, again, anew] = [1, 2, 3, 4];
    await presence.claimEpoch(accountId, deadline);
    await presence.takeOver(accountId, holderOf(first), deadline);
    await presence.takeOver(accountId, holderOf(again, first), deadline);

    const refused = await presence.takeOver(accountId, holderOf(newer), deadline).catch(({ reason }: SallyportError) => reason);
    const taken = await presence.takeOver(accountId, holderOf(anew, newer), deadline);

    expect(refused).to.equal("EPOCH_OVERTAKEN");
    expect(taken).to.deep.equal({ kind: "taken", previous: holderOf(again, first) });
  });

  it("is that of the newest socket when many take over at once, in whatever order", async () => {
    await using scene = openPresence();
    const { presence } = scene;
    const accountId = newUuid();
    const epochs = await Promise.all(Array.from({ length: 100 }, () => presence.claimEpoch(accountId, Date.now() + HOUR_MS)));
    const taken = await Promise.all(epochs.map((one) => presence.takeOver(accountId, holderOf(one), Date.now() + HOUR_MS)));

    const current = await presence.find(accountId);

    expect(new Set(epochs).size).to.equal(100);
    expect(current?.epoch).to.equal(Math.max(...epochs));
    expect(taken.at(epochs.indexOf(current?.epoch ?? 0))?.kind).to.equal("taken");
  });
});

function openPresence(): { presence: Presence; db: Db } & AsyncDisposable {
  const parts = new Disposables();
  const database = parts.use(openDatabase(freshDatabaseUri(), "chat"));
  parts.defer(() => database.db.dropDatabase().then(() => undefined));
  return { presence: new Presence(database.db), db: database.db, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
}

/** Of two sockets, one has the odd epochs. A rank of 0, or one that is not older, is left out. */
function holderOf(one: number, rank = 0): Holder {
  return {
    ...(rank > 0 && rank < one && { rank }),
    incarnation: "00000000-0000-4000-8000-000000000000",
    connection: one % 2,
    epoch: one,
    copy: "11111111-1111-4111-8111-111111111111",
  };
}

function heirOf({ heir }: Extract<Step, { kind: "giveUp" }>): Holder | undefined {
  return heir === undefined ? undefined : holderOf(heir);
}

function byTheRules(state: PresenceState | undefined, one: Step): [PresenceState, unknown] {
  switch (one.kind) {
    case "claim":
      return claimEpoch(state, NOW, one.isLate ? EARLIER : LATER);
    case "takeOver":
      return takeOver(state ?? { epoch: 0 }, holderOf(one.epoch, one.rank), NOW, one.isLate ? EARLIER : LATER);
    case "giveUp": {
      const known = state ?? { epoch: 0 };
      return [giveUp(known, one.epoch, heirOf(one)), known.current?.epoch === one.epoch];
    }
  }
}

async function inTheDatabase(presence: Presence, accountId: string, one: Step): Promise<unknown> {
  const deadline = (late: boolean): number => Date.now() + (late ? -HOUR_MS : HOUR_MS);
  try {
    switch (one.kind) {
      case "claim":
        return { kind: "claimed", epoch: await presence.claimEpoch(accountId, deadline(one.isLate)) };
      case "takeOver":
        return withoutUndefined(await presence.takeOver(accountId, holderOf(one.epoch, one.rank), deadline(one.isLate)));
      case "giveUp":
        return await presence.giveUp(accountId, one.epoch, heirOf(one));
    }
  } catch (error) {
    if (error instanceof SallyportError && error.status === "DEADLINE_EXCEEDED") {
      return { kind: "tooLate" };
    }
    if (error instanceof SallyportError && error.reason === "EPOCH_OVERTAKEN") {
      return { kind: "behind" };
    }
    throw error;
  }
}

function withoutUndefined(outcome: object): object {
  return Object.fromEntries(Object.entries(outcome).filter(([, value]) => value !== undefined));
}
