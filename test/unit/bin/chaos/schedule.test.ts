import { expect } from "chai";
import fc from "fast-check";
import { durationOf, FAULT_TARGETS, type FaultKind } from "../../../../bin/chaos/fault.ts";
import { makeSchedule, type ScheduleSetup } from "../../../../bin/chaos/schedule.ts";

const SETUP: ScheduleSetup = {
  seed: 1,
  faults: 50,
  kinds: ["kill"],
  counts: { gateway: 2, chat: 2, account: 2, mongod: 3 },
  targets: ["gateway", "chat", "account", "mongod", "primary"],
  longestMs: 30_000,
};

const kinds = fc.subarray(Object.keys(FAULT_TARGETS) as FaultKind[], { minLength: 1 });

describe("a schedule of faults", () => {
  it("is the same for the same seed, and another one for another", () => {
    const first = makeSchedule({ ...SETUP, kinds: ["kill", "pause", "half"] });

    expect(makeSchedule({ ...SETUP, kinds: ["kill", "pause", "half"] })).to.deep.equal(first);
    expect(makeSchedule({ ...SETUP, kinds: ["kill", "pause", "half"], seed: 2 })).to.not.deep.equal(first);
  });

  it("spreads 50 kills evenly over every kind of process, the primary being one", () => {
    const hit = makeSchedule(SETUP).map(({ target }) => target.kind);

    for (const kind of SETUP.targets) {
      expect(hit.filter((target) => target === kind)).to.have.length(10);
    }
  });

  it("hits every copy of a kind at times", () => {
    const hit = makeSchedule({ ...SETUP, faults: 200 }).map(({ target }) =>
      "index" in target ? `${target.kind} ${target.index}` : target.kind,
    );

    expect(new Set(hit)).to.have.property("size", 2 + 2 + 2 + 3 + 1);
  });

  it("gives each kind of fault its turn", () => {
    const wanted: readonly FaultKind[] = ["kill", "pause", "step-down", "cut", "read-only"];
    const done = makeSchedule({ ...SETUP, kinds: wanted }).map(({ fault }) => fault.kind);

    for (const kind of wanted) {
      expect(done.filter((one) => one === kind)).to.have.length(10);
    }
  });

  it("pauses for 1 to 30 s", () => {
    const pauses = makeSchedule({ ...SETUP, kinds: ["pause"], faults: 500 }).map(({ fault }) => durationOf(fault));

    expect(Math.min(...pauses)).to.be.within(1_000, 2_000);
    expect(Math.max(...pauses)).to.be.within(29_000, 30_000);
  });

  it("never has two processes of one kind in trouble at once, nor two servers of the database", () => {
    fc.assert(
      fc.property(fc.nat(), kinds, (seed, chosen) => {
        const lastEnd = new Map<string, number>();
        for (const { atMs, fault, target } of makeSchedule({ ...SETUP, seed, kinds: chosen, faults: 100 })) {
          const hit = target.kind === "primary" ? "mongod" : target.kind;
          expect(atMs).to.be.greaterThan(lastEnd.get(hit) ?? -1);
          lastEnd.set(hit, atMs + durationOf(fault));
        }
      }),
    );
  });

  it("is in the order of its times, and hits only what can be hit so", () => {
    fc.assert(
      fc.property(fc.nat(), kinds, (seed, chosen) => {
        const schedule = makeSchedule({ ...SETUP, seed, kinds: chosen });
        const times = schedule.map(({ atMs }) => atMs);

        expect(times).to.deep.equal(times.toSorted((one, other) => one - other));
        expect(schedule.filter(({ fault, target }) => !FAULT_TARGETS[fault.kind].includes(target.kind))).to.deep.equal([]);
      }),
    );
  });

  it("leaves out what hits nothing that is there", () => {
    const schedule = makeSchedule({ ...SETUP, kinds: ["step-down", "cut"], targets: ["gateway"] });

    expect(new Set(schedule.map(({ fault, target }) => `${fault.kind} ${target.kind}`))).to.deep.equal(new Set(["cut gateway"]));
    expect(makeSchedule({ ...SETUP, kinds: ["step-down"], targets: ["gateway"] })).to.deep.equal([]);
  });
});
