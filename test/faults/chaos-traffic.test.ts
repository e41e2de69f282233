import { expect } from "chai";
import { ChaosTraffic } from "../../bin/chaos/traffic.ts";
import { faultsOf } from "../../bin/chaos/verdict.ts";
import { nodeSurroundings } from "../../client/node.ts";
import type { Surroundings } from "../../client/surroundings.ts";
import { openDatabase } from "../../platform/mongo.ts";
import { buildMutated } from "../support/mutated-build.ts";
import { sharedStack, startStack } from "../support/stack.ts";

const MESSAGES = 150;
/** Of twenty people one stays away, of the first four none; the fourth takes no events. */
const TWENTY = 20;
const FOUR = 4;

/** What the client library runs on, until the network is cut for good. */
class Network {
  readonly surroundings: Surroundings;
  #isCut = false;

  constructor() {
    const inner = nodeSurroundings();
    const unreachable = (url: string): string => `ws://127.0.0.1:1${new URL(url).pathname}`;
    this.surroundings = {
      ...inner,
      fetch: (...words) => (this.#isCut ? Promise.reject(new TypeError("fetch failed")) : inner.fetch(...words)),
      openSocket: (url, listener) => inner.openSocket(this.#isCut ? unreachable(url) : url, listener),
    };
  }

  cut(): void {
    this.#isCut = true;
  }
}

describe("the traffic of a chaos run", () => {
  it("finds no fault with a stack that nobody disturbs, whatever habits people have", async function () {
    this.timeout(120_000);
    const { httpUrl } = await sharedStack();
    await using traffic = await ChaosTraffic.start({ urls: [httpUrl], people: TWENTY, seed: 5, thinkMs: 200 });

    await traffic.whenAccepted(MESSAGES);
    const verdict = await traffic.settle(90_000);

    expect(faultsOf(verdict)).to.deep.equal([]);
    expect(verdict.accepted).to.be.at.least(MESSAGES);
    expect(verdict).to.include({ restamped: 0, delivered: verdict.accepted });
    expect(verdict.pending).to.be.greaterThan(0);
  });

  it("misses a body that was deleted while its recipient stayed away", async function () {
    this.timeout(120_000);
    await using stack = await startStack();
    await using database = openDatabase(stack.mongodbUri, "chat");
    await using traffic = await ChaosTraffic.start({ urls: [stack.httpUrl], people: TWENTY, seed: 5, thinkMs: 200 });

    await traffic.whenAccepted(MESSAGES);
    await traffic.stop();
    const [recipientId = ""] = traffic.away;
    const { deletedCount } = await database.db.collection("inbox").deleteOne({ recipientId });
    const verdict = await traffic.settle(30_000);

    expect(deletedCount).to.equal(1);
    expect(verdict.lost.map((message) => message.recipientId)).to.deep.equal([recipientId]);
    expect(verdict.delivered).to.equal(verdict.accepted - 1);
  });

  it("finds fault with itself when people could not look into fresh apps in the end", async function () {
    this.timeout(60_000);
    const { httpUrl } = await sharedStack();
    const network = new Network();
    const plan = { urls: [httpUrl], people: FOUR, seed: 5, thinkMs: 3_600_000, surroundings: network.surroundings };
    await using traffic = await ChaosTraffic.start(plan);

    await traffic.stop();
    network.cut();
    const verdict = await traffic.settle(5_000);

    expect(faultsOf(verdict)).to.deep.equal([`unchecked: ${FOUR}`]);
  });
});

describe("a build without a defence", () => {
  it("is refused when the defence does not stand in the code as it is named", async () => {
    const mutation = { file: "platform/mongo.js", text: "no such text", instead: "" };

    const failure = await buildMutated([mutation]).catch((error: unknown) => String(error));

    expect(failure).to.equal("Error: platform/mongo.js holds 0 times, not once: no such text");
  });
});
