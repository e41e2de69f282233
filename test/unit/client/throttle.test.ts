import { expect } from "chai";
import fc from "fast-check";
import { RESERVE } from "../../../client/retry-budget.ts";
import { Throttle } from "../../../client/throttle.ts";
import { VirtualTime } from "./virtual-time.ts";

/** The calls of a client, each repeated until it is answered, to a service that a test speaks for. */
class Callers {
  readonly time = new VirtualTime();
  readonly throttle = new Throttle(this.time);
  calls = 0;
  attempts = 0;
  /** Attempts without an outcome. */
  underWay = 0;
  answered = 0;
  /** Which calls' first attempts were made, by the numbers of the calls. */
  readonly firsts: number[] = [];

  call(): void {
    this.calls += 1;
    const number = this.calls;
    this.throttle.whenAllowed("first", () => {
      this.firsts.push(number);
      this.#attempt();
    });
  }

  answer(): void {
    if (this.underWay > 0) {
      this.underWay -= 1;
      this.answered += 1;
      this.throttle.settled("answered");
    }
  }

  fail(): void {
    if (this.underWay > 0) {
      this.underWay -= 1;
      this.throttle.settled("failed", new Error("down"));
      this.throttle.whenAllowed("repeat", () => this.#attempt());
    }
  }

  #attempt(): void {
    this.attempts += 1;
    this.underWay += 1;
  }
}

const call = fc.constant((callers: Callers) => callers.call());
const fail = fc.constant((callers: Callers) => callers.fail());
const answer = fc.constant((callers: Callers) => callers.answer());
const pass = fc.integer({ min: 0, max: 3_000 }).map((ms) => (callers: Callers) => callers.time.pass(ms));

describe("the calls of a client", () => {
  it("make no more than 1.2 attempts each, the reserve, and one a second, at a service that answers nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(call, fail, pass), { maxLength: 400, size: "max" }), (steps) => {
        const callers = new Callers();

        for (const step of steps) {
          step(callers);
        }

        expect(callers.attempts).to.be.at.most(1.2 * callers.calls + RESERVE + callers.time.now() / 1_000);
      }),
    );
  });

  it("make no more than 1.2 attempts each, the reserve, and those that were let go gradually, whatever happens", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(call, fail, answer, pass), { maxLength: 400, size: "max" }), (steps) => {
        const callers = new Callers();

        for (const step of steps) {
          step(callers);
        }

        expect(callers.attempts).to.be.at.most(1.2 * callers.calls + RESERVE + callers.time.ran);
      }),
    );
  });

  it("are all answered once the service is well again, whatever happened before", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(call, fail, answer, pass), { maxLength: 200, size: "max" }), (steps) => {
        const callers = new Callers();
        for (const step of steps) {
          step(callers);
        }

        for (let turn = 0; callers.answered < callers.calls && turn < 1_000; turn += 1) {
          callers.answer();
          callers.time.pass(50);
        }

        expect(callers.answered).to.equal(callers.calls);
        expect(callers.time.pending).to.equal(0);
      }),
    );
  });

  it("ask a service that is down once a second between them, not each", () => {
    const callers = new Callers();
    for (let count = 0; count < 100; count += 1) {
      callers.call();
      callers.fail();
    }
    const before = callers.attempts;

    for (let second = 0; second < 30; second += 1) {
      callers.time.pass(1_000);
      callers.fail();
    }

    expect(callers.attempts - before).to.equal(30);
  });

  it("are held back, and not sent, while a service that has many of them says nothing", () => {
    const callers = new Callers();
    for (let round = 0; round < 100; round += 1) {
      callers.call();
      callers.time.pass(100);
    }
    const whileSilent = callers.attempts;

    while (callers.answered < callers.calls) {
      callers.answer();
    }

    // As many as make the silence tell, and one a second after.
    expect(whileSilent).to.equal(10 + 9);
    expect(callers.attempts).to.equal(callers.calls);
  });

  it("go out in the order in which they are made, whether they are held back or not", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(call, fail, answer, pass), { maxLength: 200, size: "max" }), (steps) => {
        const callers = new Callers();

        for (const step of steps) {
          step(callers);
        }

        expect(callers.firsts).to.deep.equal([...callers.firsts].sort((one, other) => one - other));
      }),
    );
  });

  it("that are taken back leave nothing behind", async () => {
    const callers = new Callers();
    for (let count = 0; count < 10; count += 1) {
      callers.call();
      callers.fail();
    }
    const leaving = new AbortController();
    const waits = Promise.allSettled([
      callers.throttle.allowed("first", leaving.signal) ?? Promise.resolve(),
      callers.throttle.allowed("repeat", AbortSignal.abort("gone")) ?? Promise.resolve(),
    ]);
    leaving.abort("left");

    const reasons = (await waits).map((outcome) => (outcome.status === "rejected" ? String(outcome.reason) : outcome.status));

    expect(reasons).to.deep.equal(["left", "gone"]);
    callers.time.pass(20_000);
    expect(callers.time.pending).to.equal(0);
  });
});
