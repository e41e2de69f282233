import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { ChaosTraffic } from "../../bin/chaos/traffic.ts";
import { faultsOf } from "../../bin/chaos/verdict.ts";
import { buildMutated } from "../support/mutated-build.ts";
import { sharedStack } from "../support/stack.ts";

const MESSAGES = 150;

describe("the traffic of a chaos run", () => {
  it("finds no fault with a stack that nobody disturbs, whatever habits people have", async function () {
    this.timeout(120_000);
    const { httpUrl } = await sharedStack();
    await using traffic = await ChaosTraffic.start({ urls: [httpUrl], people: 20, seed: 5, thinkMs: 200 });

    while (traffic.accepted < MESSAGES) {
      await sleep(20);
    }
    const verdict = await traffic.settle(90_000);

    expect(faultsOf(verdict)).to.deep.equal([]);
    expect(verdict.accepted).to.be.at.least(MESSAGES);
    expect(verdict).to.include({ restamped: 0, delivered: verdict.accepted - verdict.pending });
    // One of the twenty never comes.
    expect(verdict.pending).to.be.greaterThan(0);
  });
});

describe("a build without a defence", () => {
  it("is refused when the defence does not stand in the code as it is named", async () => {
    const mutation = { file: "platform/mongo.js", text: "no such text", instead: "" };

    const failure = await buildMutated([mutation]).catch((error: unknown) => String(error));

    expect(failure).to.equal("Error: platform/mongo.js holds 0 times, not once: no such text");
  });
});
