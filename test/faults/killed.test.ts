import { once } from "node:events";
import { expect } from "chai";
import { MongoClient } from "mongodb";
import { type Role, type Stack, sharedStack, startStack } from "../support/stack.ts";
import { Traffic, type Verdict } from "../support/traffic.ts";

const PEOPLE = 10;
const MESSAGES_EACH = 100;

/** Sends 1,000 messages and strikes on the way, each time so many were accepted; answers what the clients saw. */
async function sendThrough(traffic: Traffic, strikeAt: readonly number[], strike: () => Promise<void>): Promise<Verdict> {
  const due = [...strikeAt];
  let strikes = Promise.resolve();
  await traffic.send(MESSAGES_EACH, (accepted) => {
    if (accepted >= (due[0] ?? Number.POSITIVE_INFINITY)) {
      due.shift();
      strikes = strikes.then(strike);
    }
  });
  await strikes;
  return traffic.settle(60_000);
}

const NOTHING_WRONG = { accepted: PEOPLE * MESSAGES_EACH, lost: [], duplicated: [], failed: [], loggedOut: [] };

describe("kill -9 while 1,000 messages flow", () => {
  let stack: Stack;

  before(async () => {
    stack = await startStack({ supervise: true, embeddedDatabase: true });
  });

  beforeEach(() => stack.ready());

  after(() => stack[Symbol.asyncDispose]());

  for (const role of ["gateway", "account", "chat", "mongod"] satisfies Role[]) {
    it(`of the ${role}, three times: every accepted message arrives once, and nobody has to log in`, async function () {
      this.timeout(180_000);
      await using traffic = await Traffic.start(stack.httpUrl, PEOPLE);

      const verdict = await sendThrough(traffic, [200, 500, 800], async () => {
        process.kill(await stack.pidOf(role), "SIGKILL");
        await stack.ready();
      });

      expect(verdict).to.deep.equal(NOTHING_WRONG);
    });
  }
});

describe("kill -9 of the launcher while 1,000 messages flow, and a new start", () => {
  it("loses nothing, and nobody has to log in", async function () {
    this.timeout(180_000);
    let stack = await startStack({ embeddedDatabase: true });
    await using traffic = await Traffic.start(stack.httpUrl, PEOPLE);

    const verdict = await sendThrough(traffic, [500], async () => {
      const ended = once(stack.launcher, "exit");
      stack.launcher.kill("SIGKILL");
      await ended;
      stack = await startStack({ embeddedDatabase: true, inPlaceOf: stack });
    });
    await stack[Symbol.asyncDispose]();

    expect(verdict).to.deep.equal(NOTHING_WRONG);
  });
});

describe("the ledger of the test's own clients", () => {
  let stack: Stack;

  before(async () => {
    stack = await sharedStack();
  });

  it("would show a loss: what is deleted behind the system's back is reported as lost", async () => {
    await using traffic = await Traffic.start(stack.httpUrl, 20, 1);
    await using client = new MongoClient(stack.mongodbUri);
    const chat = client.db(`${new URL(stack.mongodbUri.replace("mongodb:", "http:")).pathname.slice(1)}_chat`);

    await traffic.send(50);
    const { deletedCount } = await chat.collection("inbox").deleteOne({ recipientId: { $in: traffic.accountIds } });
    await traffic.connectRest();

    expect(deletedCount).to.equal(1);
    expect((await traffic.settle(2_000)).lost).to.have.length(1);
  });
});
