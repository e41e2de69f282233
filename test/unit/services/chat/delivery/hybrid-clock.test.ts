import { expect } from "chai";
import fc from "fast-check";
import { acceptedAtOf, HybridClock, orderAt } from "../../../../../services/chat/delivery/hybrid-clock.ts";

const NOW = Date.UTC(2026, 0, 1);

describe("the hybrid clock", () => {
  it("never stands still, however the wall clock jumps", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { maxLength: 50 }), (jumps) => {
        let present = NOW;
        const clock = new HybridClock(() => present);
        const orders = jumps.map((jump) => {
          present += jump;
          return clock.next();
        });
        return orders.every((order, index) => index === 0 || order > (orders[index - 1] ?? 0));
      }),
    );
  });

  it("tells the time of the wall clock while that goes forward", () => {
    let present = NOW;
    const clock = new HybridClock(() => present);
    const first = clock.next();
    present += 7;

    expect(acceptedAtOf(first)).to.equal(NOW);
    expect(acceptedAtOf(clock.next())).to.equal(NOW + 7);
  });

  it("goes on after a restart by the wall clock", () => {
    const before = new HybridClock(() => NOW).next();

    expect(new HybridClock(() => NOW + 1).next()).to.be.greaterThan(before);
  });

  it("follows what it sees of other processes, within a minute", () => {
    const clock = new HybridClock(() => NOW);
    clock.see(orderAt(NOW + 30_000));
    const followed = clock.next();
    clock.see(orderAt(NOW + 600_000));

    expect(followed).to.be.greaterThan(orderAt(NOW + 30_000));
    expect(acceptedAtOf(clock.next())).to.equal(NOW + 30_000);
  });

  it("is exact as a double for a century", () => {
    const year2109 = Date.UTC(2109, 0, 1);

    expect(acceptedAtOf(orderAt(year2109) + 2_047)).to.equal(year2109);
    expect(Number.isSafeInteger(orderAt(year2109) + 1)).to.equal(true);
  });
});
