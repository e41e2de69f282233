import { expect } from "chai";
import { type Ticking, TimerWheel } from "../../../gateway/timer-wheel.ts";

function entry(next: (now: number) => number | undefined): Ticking & { ticks: number[] } {
  const ticks: number[] = [];
  return {
    ticks,
    dueSlot: 0,
    tick(now) {
      ticks.push(now);
      return next(now);
    },
  };
}

describe("the timer wheel", () => {
  it("looks at an entry when it is due, and again when it says so", () => {
    let now = 1000;
    using wheel = new TimerWheel(() => now);
    const waiting = entry((at) => (at < 2000 ? 2000 : undefined));
    wheel.schedule(waiting, 1500);

    for (now = 1000; now <= 3000; now += 50) {
      wheel.turn();
    }

    expect(waiting.ticks).to.deep.equal([1500, 2000]);
  });

  it("looks earlier when an entry asks for it, and only once", () => {
    let now = 1000;
    using wheel = new TimerWheel(() => now);
    const waiting = entry((at) => (at < 2000 ? 2000 : undefined));
    wheel.schedule(waiting, 2000);
    wheel.schedule(waiting, 1200);
    wheel.schedule(waiting, 1900);

    for (now = 1000; now <= 3000; now += 50) {
      wheel.turn();
    }

    expect(waiting.ticks).to.deep.equal([1200, 2000]);
  });

  it("misses nothing over a long pause", () => {
    let now = 1000;
    using wheel = new TimerWheel(() => now);
    const waiting = entry(() => undefined);
    wheel.schedule(waiting, 5000);

    now = 10_000_000;
    wheel.turn();

    expect(waiting.ticks).to.deep.equal([10_000_000]);
  });
});
