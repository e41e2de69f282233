import { expect } from "chai";
import type { Measurement } from "../../../../bin/bench/measurement.ts";
import { changesOf, type Summary, summarize } from "../../../../bin/bench/report.ts";
import type { Scenario } from "../../../../bin/bench/scenario.ts";

const SCENARIO: Scenario = {
  name: "path",
  about: "a path",
  floorAbout: "its floor",
  target: { leastRatio: 0.5, mostCpuUs: 10, mostP99Ms: 15 },
  stack: "single",
  floor: () => Promise.reject(new Error("not measured")),
  subject: () => Promise.reject(new Error("not measured")),
};

describe("the summary of a scenario", () => {
  it("takes the median of the rounds, each against its own floor", () => {
    const { ratio, leastRatio, mostRatio, perSecond } = summarized([100, 50], [100, 80], [1_000, 900]);

    expect({ ratio, leastRatio, mostRatio, perSecond }).to.deep.equal({ ratio: 0.8, leastRatio: 0.5, mostRatio: 0.9, perSecond: 80 });
  });

  it("counts the CPU of the servers, and not that of the load generator", () => {
    expect(summarized([100, 50]).cpuUs).to.equal(7);
  });

  it("names what the target asks for and is missed", () => {
    expect(summarized([100, 50]).misses).to.deep.equal(["over 15 ms at p99"]);
    expect(summarized([100, 49]).misses).to.deep.equal(["ratio below 0.5", "over 15 ms at p99"]);
  });
});

describe("the change against an earlier outcome", () => {
  const before = summarized([100, 50], [100, 52]);

  it("is a regression when the ratio fell, and with all its spread", () => {
    expect(worse(summarized([100, 40], [100, 41]))).to.deep.equal([true]);
    expect(worse(summarized([100, 40], [100, 51]))).to.deep.equal([false]);
    expect(worse(summarized([100, 48], [100, 49]))).to.deep.equal([false]);
  });

  it("does not see a machine that is slower as a whole", () => {
    expect(worse(summarized([10, 5], [10, 5.2]))).to.deep.equal([false]);
  });

  it("passes over what the earlier outcome does not have", () => {
    expect(changesOf([], [before])).to.deep.equal([]);
  });

  function worse(now: Summary): readonly boolean[] {
    return changesOf([before], [now]).map(({ isWorse }) => isWorse);
  }
});

function summarized(...rounds: readonly (readonly [floor: number, subject: number])[]): Summary {
  const all = rounds.map(([floor, subject]) => ({ floor: measured(floor), subject: measured(subject) }));
  return summarize({ scenario: SCENARIO, rounds: all, wrong: [] });
}

function measured(perSecond: number): Measurement {
  const latency = { p50: 1, p99: 16, p999: 20 };
  return { operations: perSecond, perSecond, latency, cpuUs: { gateway: 3, chat: 4, load: 9 }, loadShare: 0.1, accepted: 0, wrong: [] };
}
