import { once } from "node:events";
import { expect } from "chai";
import { SilenceWatch } from "../../../platform/rpc/silence-watch.ts";

/** A watch that ticks every millisecond, and what it did. */
function watch(tickMs = 1): {
  watch: SilenceWatch;
  asks: EventTarget;
  counts: { asked: number; silent: number };
  silent: Promise<unknown>;
} {
  const asks = new EventTarget();
  const counts = { asked: 0, silent: 0 };
  const actions = {
    ask: () => {
      counts.asked += 1;
      asks.dispatchEvent(new Event("asked"));
    },
    silent: () => {
      counts.silent += 1;
      asks.dispatchEvent(new Event("silent"));
    },
  };
  return { watch: new SilenceWatch(actions, tickMs), asks, counts, silent: once(asks, "silent") };
}

describe("the watch over a silent peer", () => {
  it("gives it up on the fifth tick in a row in which nothing came, once", async () => {
    const { watch: watched, counts, silent } = watch();

    await silent;
    watched[Symbol.dispose]();

    expect(counts).to.deep.equal({ asked: 4, silent: 1 });
  });

  it("asks on every tick, and goes on as long as something comes", async () => {
    const { watch: watched, asks, counts } = watch();

    while (counts.asked < 50) {
      await once(asks, "asked");
      watched.heard();
    }
    watched[Symbol.dispose]();

    expect(counts.silent).to.equal(0);
  });

  it("begins anew with whatever comes", async () => {
    const { watch: watched, asks, counts, silent } = watch();
    while (counts.asked < 4) {
      await once(asks, "asked");
    }

    watched.heard();
    await silent;
    watched[Symbol.dispose]();

    // The tick that finds the sign of life, and four more.
    expect(counts.asked).to.equal(9);
  });

  it("does not count the time in which its own process stood still", async () => {
    const { watch: watched, asks, counts } = watch(5);
    await once(asks, "asked");

    const until = performance.now() + 100;
    while (performance.now() < until) {
      // The process is paused.
    }
    await new Promise(setImmediate);
    watched[Symbol.dispose]();

    expect(counts.silent).to.equal(0);
  });
});
