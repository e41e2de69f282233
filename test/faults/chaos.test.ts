import { resolve } from "node:path";
import { expect } from "chai";
import { planOf } from "../../bin/chaos/plan.ts";
import { runChaos } from "../../bin/chaos/run-chaos.ts";
import { sharedStack } from "../support/stack.ts";

const ENTRY = resolve(import.meta.dirname, "../../dist/bin/sallyport.js");
const FLAGS = ["--seed=5", "--faults=8", "--kinds=kill,pause,step-down,proxy", "--longest-ms=3000", "--people=20", "--think-ms=200"];

describe("two of each role on a replica set of three, while processes die, stop and are cut off", () => {
  it("lose nothing, deliver nothing twice, and log nobody out", async function () {
    this.timeout(300_000);
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    const surroundings = { entry: ENTRY, env: process.env, print: write, warn: write };

    const outcome = await runChaos(planOf(new Set(FLAGS), 0), surroundings, new AbortController().signal);

    expect(outcome.wrong, lines.join("\n")).to.deep.equal([]);
    expect(outcome.faults.filter((past) => "readyAfterMs" in past.outcome)).to.have.length(8);
    expect(outcome.verdict.accepted).to.be.greaterThan(0);
  });
});

describe("a system that runs already, while the ways of its clients to it are disturbed", () => {
  it("loses nothing, delivers nothing twice, and logs nobody out", async function () {
    this.timeout(120_000);
    const stack = await sharedStack();
    const flags = [
      "--seed=3",
      "--faults=2",
      "--kinds=cut,refuse",
      "--longest-ms=1500",
      "--people=6",
      "--think-ms=200",
      `--urls=${stack.httpUrl}`,
    ];
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    const surroundings = { entry: ENTRY, env: process.env, print: write, warn: write };

    const outcome = await runChaos(planOf(new Set(flags), 0), surroundings, new AbortController().signal);

    expect(outcome.wrong, lines.join("\n")).to.deep.equal([]);
    expect(new Set(outcome.faults.map(({ target }) => target.kind))).to.deep.equal(new Set(["gateway"]));
  });
});
