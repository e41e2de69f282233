import { expect } from "chai";
import { MongoClient } from "mongodb";
import { write } from "../../bin/chaos/correspondence.ts";
import type { Verdict } from "../../bin/chaos/verdict.ts";
import type { Mutation } from "../support/mutated-build.ts";
import { ThreeMongods } from "../support/three-mongods.ts";
import { judge, NEVER, newPerson, newWorld, startMutated } from "./controls-scene.ts";

const MESSAGES = 5;

/** A write is done when one server has it. */
const WITHOUT_MAJORITY: Mutation = {
  file: "platform/mongo.js",
  text: 'writeConcern: { w: "majority"',
  instead: "writeConcern: { w: 1",
};

/** The ledger as the server on a port has it, whoever else does. */
async function countSends(port: number): Promise<number> {
  await using client = new MongoClient(`mongodb://127.0.0.1:${port}/`, { directConnection: true, readConcernLevel: "local" });
  return await client.db("sallyport_chat").collection("sends").countDocuments();
}

/** Messages are written down by a primary that is alone, which is killed; the others come back without it, and it comes back last. */
async function losePrimary(mutations: readonly Mutation[]): Promise<Verdict> {
  await using mongods = await ThreeMongods.start();
  await using stack = await startMutated(mutations, { env: { MONGODB_URI: mongods.uri } });
  const world = newWorld();
  await using sender = await newPerson(world, stack.httpUrl);
  await using recipient = await newPerson(world, stack.httpUrl);
  sender.open();
  await write(sender, recipient.accountId, 64, NEVER);
  const primary = await mongods.primary();
  const others = mongods.members.filter((member) => member !== primary);

  await Promise.all(others.map((member) => member.kill()));
  const writing = Array.from({ length: MESSAGES }, () => write(sender, recipient.accountId, 64, NEVER));
  while ((await countSends(primary.port)) < 2) {}
  if (mutations.length > 0) {
    await Promise.all(writing);
  }
  await primary.kill();
  await Promise.all(others.map((member) => member.start()));
  await mongods.primary();
  await primary.start();
  await Promise.all(writing);

  return await judge(world, recipient, sender);
}

describe("a primary that dies with what it alone has", () => {
  it("shows as loss when a write is done without a majority", async function () {
    this.timeout(120_000);

    const verdict = await losePrimary([WITHOUT_MAJORITY]);

    expect(verdict.accepted).to.equal(1 + MESSAGES);
    expect(verdict.lost).to.have.length(MESSAGES);
  });

  it("does not as it is", async function () {
    this.timeout(120_000);

    const verdict = await losePrimary([]);

    expect(verdict).to.deep.include({ accepted: 1 + MESSAGES, delivered: 1 + MESSAGES, lost: [], duplicated: [] });
  });
});
