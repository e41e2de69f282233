import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { type Database, openDatabase } from "../../../platform/mongo.ts";
import { createClient } from "../../../platform/rpc/client.ts";
import { erasureService } from "../../../proto/gen/policy/services.ts";
import { sweepExpired } from "../../../services/chat/delivery/expiry.ts";
import { verifyLedger } from "../../../services/chat/ledger/verify.ts";
import { Inbox } from "../../../services/chat/store/inbox.ts";
import { keyedData } from "../../../services/chat/store/keyed-data.ts";
import { Ledger } from "../../../services/chat/store/ledger.ts";
import { Presence } from "../../../services/chat/store/presence.ts";
import { chatSchemas } from "../../../services/chat/store/schema.ts";
import { LIFETIME_MS, Sends } from "../../../services/chat/store/sends.ts";
import { chatBackground } from "../../support/background-queries.ts";
import { isDirect, isTargeted, type ProfiledQuery, profile, shapeOf } from "../../support/profiled-queries.ts";
import { ChatStack } from "./chat-stack.ts";
import { as, type FakeGateway } from "./fake-gateway.ts";

const SHARD_KEYS = new Map(chatSchemas.map(({ name, shardKey }) => [name, shardKey]));
/** Rounds that never come: what they do is done by hand. */
const NEVER_MS = 2_000_000_000;
const ROUNDS = { healMs: NEVER_MS, sweepMs: NEVER_MS, ledger: { countMs: NEVER_MS, verifyMs: NEVER_MS } };

interface Scene extends AsyncDisposable {
  readonly stack: ChatStack;
  readonly gateway: FakeGateway;
  readonly database: Database;
}

/** A chat service with messages that wait for somebody else. */
async function openScene(): Promise<Scene> {
  const stack = await ChatStack.start({ ...ROUNDS, lingerMs: 20 });
  const gateway = await stack.gateway();
  const database = openDatabase(stack.config.mongodbUri, "chat");
  const [sender, other] = [stack.invite(), stack.invite()];
  await Promise.all(Array.from({ length: 60 }, (_, index) => gateway.send(sender, other, newUuid(), `for another ${index}`)));
  return {
    ...{ stack, gateway, database },
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]();
      await stack[Symbol.asyncDispose]();
    },
  };
}

/** What happens for each message, acknowledgement, socket and call, and every few seconds for the attached sockets. */
async function passThrough({ stack, gateway, database: { db } }: Scene): Promise<void> {
  const [alice, bob] = [stack.invite(), stack.invite()];
  await gateway.renewLease();
  await gateway.send(alice, bob, newUuid(), "waits");
  const socket = await gateway.open(bob);
  const [waiting] = await socket.receive(1);
  await socket.ack(waiting?.id ?? "");
  const clientMessageId = newUuid();
  await gateway.send(alice, bob, clientMessageId, "is stored in the end");
  await gateway.send(alice, bob, clientMessageId, "is stored in the end");
  await gateway.chat.getMessageStates({ clientMessageIds: [clientMessageId] }, as(alice));
  const { messages } = await gateway.chat.listPending({ pageSize: 0 }, as(bob));
  await gateway.chat.ackMessages({ messageIds: messages.map(({ id }) => id) }, as(bob));
  const direct = gateway.send(alice, bob, newUuid(), "is delivered first");
  const pushed = await socket.receive(3);
  await socket.ack(pushed[2]?.id ?? "");
  await direct;
  await loseBody(stack, gateway, alice, bob);

  await gateway.chat.blockAccount({ accountId: alice }, as(bob));
  await gateway.chat.listBlockedAccounts({}, as(bob));
  await gateway.send(alice, bob, newUuid(), "is refused").catch(() => undefined);
  await gateway.chat.unblockAccount({ accountId: alice }, as(bob));
  await (await gateway.open(bob)).detach();
  await new Inbox(db).findKeys([alice, bob], 10);
  await new Presence(db).findAll([alice, bob]);
}

/** A crash took the body of a claim: the repeat brings it again. */
async function loseBody(stack: ChatStack, gateway: FakeGateway, from: string, to: string): Promise<void> {
  const clientMessageId = newUuid();
  const { messageId } = await gateway.send(from, to, clientMessageId, "is lost and repaired");
  await stack.collection("inbox").deleteOne({ _id: messageId as never });
  await gateway.send(from, to, clientMessageId, "is lost and repaired");
}

/** What is rare, or done by rounds. */
async function goOverAll({ stack, gateway, database: { db } }: Scene): Promise<void> {
  const [alice, bob] = [stack.invite(), stack.invite()];
  const clientMessageId = newUuid();
  const { messageId } = await gateway.send(alice, bob, clientMessageId, "is given up and sent again");
  await stack.collection("sends").deleteOne({ _id: messageId as never });
  await gateway.send(alice, bob, clientMessageId, "is given up and sent again");
  await gateway.chat.blockAccount({ accountId: alice }, as(bob));

  await new Ledger(db).count("estimated");
  await new Ledger(db, 10).count("estimated");
  await verifyLedger(db, { graceMs: 0 });
  await keyedData(db).keys();
  stack.expel(bob);
  await createClient(erasureService, stack.channel()).eraseAccount({ accountId: bob }, { deadline: Date.now() + 15_000 });
  await sweepExpired(new Sends(db), new Inbox(db), Date.now());
}

/** All that waits has waited for longer than its lifetime. */
async function makeOld({ stack }: Pick<Scene, "stack">): Promise<void> {
  const [acceptedAt, expiresAt] = [new Date(Date.now() - LIFETIME_MS - 2), new Date(Date.now() - 1)];
  await stack.collection("sends").updateMany({ expiresAt: { $exists: true } }, { $set: { acceptedAt, expiresAt } });
  await stack.collection("inbox").updateMany({}, { $set: { acceptedAt } });
}

// What is seen here is what the service asks a replica set; from the shard keys in it follows to which shards a cluster would send it.
describe("the queries of the chat service on a sharded cluster", () => {
  it("name the shard key for all that belongs to a message, an acknowledgement, a socket or a call, and an index finds it", async () => {
    await using scene = await openScene();

    const queries = await profile(scene.database.db, chatSchemas, () => passThrough(scene));

    expect(queries.filter((query) => !isTargeted(query, SHARD_KEYS.get(query.collection)) && !isOfTest(query)).map(nameOf)).to.deep.equal(
      [],
    );
    expect(queries.filter((query) => !isFound(query))).to.deep.equal([]);
    expect(queries.map(({ collection }) => collection)).to.include.members(["sends", "inbox", "presence", "blocks"]);
  });

  it("are in the table of those that go to all shards when they name no shard key, and all of that table are needed", async () => {
    await using scene = await openScene();
    await makeOld(scene);

    const queries = await profile(scene.database.db, chatSchemas, () => goOverAll(scene));

    const everywhere = queries.filter((query) => !isTargeted(query, SHARD_KEYS.get(query.collection)) && !isOfTest(query)).map(nameOf);
    expect([...new Set(everywhere)]).to.have.members(chatBackground.map(({ collection, shape }) => `${collection}: ${shape}`));
  });

  it("would be missed without their shard key: a block by its id, the bodies of messages, an inbox by its age", async () => {
    await using scene = await openScene();
    const { db } = scene.database;

    const queries = await profile(db, chatSchemas, async () => {
      await db
        .collection("blocks")
        .updateOne({ _id: "a:b" as never }, { $setOnInsert: { ownerId: "a", blockedId: "b" } }, { upsert: true });
      await db.collection("inbox").deleteMany({ _id: { $in: ["a"] as never[] } });
      await db
        .collection("inbox")
        .find({ acceptedAt: { $lt: new Date() } })
        .toArray();
      await db.collection("sends").find({ state: "deleted" }).toArray();
    });
    const keyless = await profile(db, chatSchemas, () => db.collection("inbox").insertOne({})).catch((error: Error) => error.message);

    expect(queries.map((query) => isTargeted(query, SHARD_KEYS.get(query.collection)))).to.deep.equal([false, false, false, false]);
    expect(queries.filter(({ collection }) => collection === "sends").map(isFound)).to.deep.equal([false]);
    expect(keyless).to.equal("Document failed validation");
  });

  it("end due claims by the index that holds only what is pending", async () => {
    await using scene = await openScene();
    const { db } = scene.database;
    await db.collection("sends").updateMany({}, { $set: { state: "delivered" }, $unset: { expiresAt: "" } });
    const [alice, bob] = [scene.stack.invite(), scene.stack.invite()];
    await scene.gateway.send(alice, bob, newUuid(), "expires");
    await makeOld(scene);

    const queries = await profile(db, chatSchemas, () => new Sends(db).expireDue(Date.now(), 500));

    const [due] = queries.filter(({ filter }) => "expiresAt" in filter && !("_id" in filter));
    expect(due).to.include({ plan: "IXSCAN { expiresAt: 1 }", docsExamined: 1, found: 1 });
    expect(await db.collection("sends").countDocuments({ state: "expired" })).to.equal(1);
  });
});

function nameOf(query: ProfiledQuery): string {
  return `${query.collection}: ${shapeOf(query)}`;
}

/** What the test itself takes away, as a crash would. */
function isOfTest(query: ProfiledQuery): boolean {
  return nameOf(query) === "inbox: delete {_id}";
}

function isFound(query: ProfiledQuery): boolean {
  const shardKey = SHARD_KEYS.get(query.collection);
  return shardKey === undefined || isOfTest(query) || isDirect(query, shardKey);
}
