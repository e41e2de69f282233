import { expect } from "chai";
import type { Collection, Db } from "../../../platform/mongo.ts";
import { createRevocations } from "../../../services/account/store/revocations.ts";
import type { SessionDocument } from "../../../services/account/store/schema.ts";
import { type Bench, logIn, openBench, stored } from "./bench.ts";

describe("the end of all sessions of an account while a sharded cluster moves a range", () => {
  it("is that of each, also of those that the change of many passes by, and all are told", async () => {
    await using bench = await openBench();
    const [kept, ...others] = await logInTimes(bench, 4);
    const { accountId = "", sessionId: except = "" } = kept ?? {};
    const [first, ...passed] = others.map(({ sessionId }) => sessionId);
    const revocations = createRevocations(passingBy(bench.db, passed));

    const ended = await revocations.endAll({ accountId, reason: "logout", deadline: Date.now() + 5_000 }, except);

    expect(ended.map(({ sessionId }) => sessionId)).to.have.members([first, ...passed]);
    expect(await endOf(bench, [except, ...others.map(({ sessionId }) => sessionId)])).to.deep.equal([
      undefined,
      "logout",
      "logout",
      "logout",
    ]);
  });

  it("ends nobody's who was passed by when the deadline is over", async () => {
    await using bench = await openBench();
    const [{ accountId, sessionId }] = [await logIn(bench)];
    const revocations = createRevocations(passingBy(bench.db, [sessionId]));

    const ended = await revocations.endAll({ accountId, reason: "lock", deadline: Date.now() - 1 });

    expect(ended).to.deep.equal([]);
    expect(await endOf(bench, [sessionId])).to.deep.equal([undefined]);
  });
});

async function logInTimes(bench: Bench, times: number): Promise<readonly Awaited<ReturnType<typeof logIn>>[]> {
  const sessions = [];
  for (let time = 0; time < times; time += 1) {
    sessions.push(await logIn(bench));
  }
  return sessions;
}

/** Why each of some sessions ended. */
async function endOf(bench: Bench, sessionIds: readonly string[]): Promise<readonly SessionDocument["revokedFor"][]> {
  return (await Promise.all(sessionIds.map((sessionId) => stored(bench, sessionId)))).map(({ revokedFor }) => revokedFor);
}

/** A database whose changes of many miss some documents. */
function passingBy(db: Db, passed: readonly string[]): Db {
  const missing = (collection: Collection): Collection =>
    new Proxy(collection, {
      get: (_target, name) => {
        if (name !== "updateMany") {
          const member: unknown = Reflect.get(collection, name);
          return typeof member === "function" ? member.bind(collection) : member;
        }
        return (filter: object, change: object) => collection.updateMany({ $and: [filter, { _id: { $nin: passed } }] }, change);
      },
    });
  return { collection: (name: string) => missing(db.collection(name)) } as unknown as Db;
}
