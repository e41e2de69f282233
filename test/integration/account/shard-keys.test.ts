import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { followUp } from "../../../services/account/follow-up.ts";
import { deleteAccount } from "../../../services/account/rpc/delete-account.ts";
import { findAccount } from "../../../services/account/rpc/find-account.ts";
import { listSessions } from "../../../services/account/rpc/list-sessions.ts";
import { logout } from "../../../services/account/rpc/logout.ts";
import { logoutEverywhere } from "../../../services/account/rpc/logout-everywhere.ts";
import { releaseConnection } from "../../../services/account/rpc/release-connection.ts";
import { revokeSession } from "../../../services/account/rpc/revoke-session.ts";
import { keyedData } from "../../../services/account/store/keyed-data.ts";
import { accountSchemas } from "../../../services/account/store/schema.ts";
import { accountBackground } from "../../support/background-queries.ts";
import { isDirect, isTargeted, type ProfiledQuery, profile, shapeOf } from "../../support/profiled-queries.ts";
import { type Bench, callOf, check, confirm, eventsOf, logIn, openBench, operatorCall, present, reasonOf } from "./bench.ts";

const SHARD_KEYS = new Map(accountSchemas.map(({ name, shardKey }) => [name, shardKey]));

/** What happens at every login, exchange, confirmation, check and end of a socket, and what an owner sees of one session. */
async function passThrough(bench: Bench): Promise<void> {
  const { context, gateway } = bench;
  const stolen = await logIn(bench, "alice");
  const first = await present(bench, stolen.chat);
  await present(bench, stolen.chat);
  await check(bench, first.accessToken);
  await confirm(bench, stolen.sessionId, first.generation);
  const second = await present(bench, first.nextRefreshToken);
  await present(bench, second.nextRefreshToken);
  await reasonOf(present(bench, stolen.chat));
  await releaseConnection(context)(
    { incarnation: gateway.incarnation, connection: 1, grantIds: [first.grantId, second.grantId] },
    callOf(),
  );
  await context.leases.renew(gateway.incarnation);

  const [session, other] = [await logIn(bench, "alice"), await logIn(bench, "alice")];
  await eventsOf(bench, session);
  await revokeSession(context)({ sessionId: other.sessionId }, callOf(session));
  await logout(context)({}, callOf(session));
}

/** What is rare, or done by rounds. */
async function goOverAll(bench: Bench): Promise<void> {
  const { context } = bench;
  const session = await logIn(bench, "alice");
  await listSessions(context)({}, callOf(session));
  await findAccount(context)({ key: { $case: "devName", value: "alice" } }, operatorCall());
  await context.revocations.listSince(Date.now());
  await context.revocations.listRest({ at: Date.now(), sessionId: session.sessionId });
  await logoutEverywhere(context)({}, callOf(session));
  await keyedData(bench.db).needs({ kind: "token", kid: "0", usedAt: undefined });
  await present({ ...bench, gateway: { ...bench.gateway, incarnation: randomUUID() } }, (await logIn(bench, "bob")).chat);
  await releaseConnection(context)({ incarnation: bench.gateway.incarnation, connection: 1, grantIds: [] }, callOf());
  await context.grants.sweep(new Date(Date.now() + 60_000));
  await deleteAccount(context)({}, callOf(await logIn(bench, "alice")));
  await followUp(context, { erase: async () => undefined }, (await context.closings.takeDue()) ?? expect.fail("nothing is due"));
}

// What is seen here is what the services ask a replica set; from the shard keys in it follows to which shards a cluster would send it.
describe("the queries of the account service on a sharded cluster", () => {
  it("name the shard key for all that belongs to an exchange, a call or a socket, and an index finds it", async () => {
    await using bench = await openBench({ reuseGraceMs: 0 });
    for (let other = 0; other < 20; other += 1) {
      await present(bench, (await logIn(bench, `other ${other}`)).chat);
    }

    const queries = await profile(bench.db, accountSchemas, () => passThrough(bench));

    expect(queries.filter((query) => !isTargeted(query, SHARD_KEYS.get(query.collection))).map(nameOf)).to.deep.equal([]);
    expect(queries.filter((query) => !isFound(query))).to.deep.equal([]);
    expect(sharded(queries)).to.include.members(["sessions", "grants", "securityEvents"]);
  });

  it("are in the table of those that go to all shards when they name no shard key, and all of that table are needed", async () => {
    await using bench = await openBench({ reuseGraceMs: 0 });

    const queries = await profile(bench.db, accountSchemas, () => goOverAll(bench));

    const everywhere = queries.filter((query) => !isTargeted(query, SHARD_KEYS.get(query.collection))).map(nameOf);
    expect([...new Set(everywhere)]).to.have.members(accountBackground.map(({ collection, shape }) => `${collection}: ${shape}`));
  });

  it("would be missed without their shard key: the end of a socket by its place, an event by its id, a session by its account", async () => {
    await using bench = await openBench();
    const { db } = bench;

    const queries = await profile(db, accountSchemas, async () => {
      await db.collection("grants").deleteMany({ "socket.incarnation": "a", "socket.connection": 1 });
      await db.collection("securityEvents").updateOne({ _id: "a" as never }, { $set: { type: 1 } });
      await db.collection("sessions").findOneAndUpdate({ _id: { $in: ["a", "b"] as never[] } }, { $set: { revokedAt: new Date() } });
      await db.collection("sessions").findOne({ accountId: "a" });
    });
    const keyless = await profile(db, accountSchemas, () => db.collection("securityEvents").insertOne({})).catch(
      (error: Error) => error.message,
    );

    expect(queries.map((query) => isTargeted(query, SHARD_KEYS.get(query.collection)))).to.deep.equal([false, false, false, false]);
    expect(keyless).to.equal("Document failed validation");
  });
});

function nameOf(query: ProfiledQuery): string {
  return `${query.collection}: ${shapeOf(query)}`;
}

function isFound(query: ProfiledQuery): boolean {
  const shardKey = SHARD_KEYS.get(query.collection);
  return shardKey === undefined || isDirect(query, shardKey);
}

function sharded(queries: readonly ProfiledQuery[]): readonly string[] {
  return queries.map(({ collection }) => collection).filter((collection) => SHARD_KEYS.get(collection) !== undefined);
}
