import { expect } from "chai";
import { CLOSE_CODES } from "../../../client/close-codes.ts";
import { advanceLifecycle, type Lifecycle, STABLE_MS, startLifecycle } from "../../../client/lifecycle.ts";

const READY: Lifecycle = { at: "ready", failures: 3, since: 0, closesAt: undefined, displaced: false };

function close(state: Lifecycle, code: number, { reason = "", now = 0, random = 0.5 } = {}): ReturnType<typeof advanceLifecycle> {
  return advanceLifecycle(state, { kind: "closed", code, reason, now, random });
}

describe("the life of a connection", () => {
  it("begins by connecting", () => {
    expect(startLifecycle()).to.deep.equal([{ at: "connecting", failures: 0 }, [{ kind: "connect" }]]);
  });

  for (const code of [1000, 1001, 1006, 4008, 4408, 4503, 1011, 4999]) {
    it(`reconnects with backoff after ${code}`, () => {
      const [state, effects] = close(READY, code);

      expect(state).to.deep.equal({ at: "waiting", failures: 4 });
      expect(effects).to.deep.equal([{ kind: "wait", ms: 2000 }]);
    });
  }

  for (const [code, reaction] of [
    [1009, "fix-client"],
    [4400, "fix-client"],
    [4401, "login-again"],
    [4409, "stop"],
  ] as const) {
    it(`ends with "${reaction}" after ${code}`, () => {
      const [state, effects] = close(READY, code);

      const ending = { reaction, meaning: CLOSE_CODES[code]?.meaning, code };
      expect(state).to.deep.equal({ at: "ended", ending });
      expect(effects).to.deep.equal([{ kind: "end", ending }]);
    });
  }

  for (const [closedAfterMs, waitMs] of [
    [0, 1200],
    [700, 500],
    [1200, 0],
    [3000, 0],
  ] as const) {
    it(`reconnects ${waitMs} ms after a close that comes ${closedAfterMs} ms after a draining event whose hint is 1200 ms`, () => {
      const [draining] = advanceLifecycle(READY, { kind: "draining", hintMs: 1200, now: 5_000 });

      expect(close(draining, 4001, { now: 5_000 + closedAfterMs })[1]).to.deep.equal([{ kind: "wait", ms: waitMs }]);
    });
  }

  it("takes a drain without a hint for a cut", () => {
    expect(close({ at: "connecting", failures: 0 }, 4001)[1]).to.deep.equal([{ kind: "wait", ms: 250 }]);
  });

  it("reconnects after the hint in the close reason", () => {
    expect(close({ at: "connecting", failures: 0 }, 4429, { reason: "4321" })[1]).to.deep.equal([{ kind: "wait", ms: 4321 }]);
  });

  for (const reason of ["", "soon", "-1", "1e9", "99999999999"]) {
    it(`takes the hint ${JSON.stringify(reason)} for none`, () => {
      expect(close({ at: "connecting", failures: 0 }, 4429, { reason })[1]).to.deep.equal([{ kind: "wait", ms: 250 }]);
    });
  }

  it("does not come back to displace the socket that displaced it, whether it heard the last word or not", () => {
    const [displaced] = advanceLifecycle(READY, { kind: "displaced" });

    for (const code of [1000, 1006, 4001]) {
      expect(close(displaced, code)[0]).to.deep.equal({ at: "ended", ending: { reaction: "stop", meaning: CLOSE_CODES[4409]?.meaning } });
    }
    expect(close(displaced, 4401)[0]).to.have.nested.property("ending.reaction", "login-again");
  });

  it("waits no longer for a server that fell over again after a while than for one that fell over once", () => {
    let state: Lifecycle = startLifecycle()[0];
    let longest = 0;

    for (const outage of [0, 1, 2]) {
      const up = outage * 60_000;
      [state] = advanceLifecycle(state, { kind: "exchanged", now: up });
      for (const code of [1006, 1006, 1006]) {
        const [waiting, effects] = close(state, code, { now: up + 3_000, random: 0.999 });
        longest = Math.max(longest, ...effects.map((effect) => (effect.kind === "wait" ? effect.ms : Number.POSITIVE_INFINITY)));
        [state] = advanceLifecycle(waiting, { kind: "elapsed" });
      }
    }

    expect(longest).to.be.below(2_000);
  });

  it("forgets its failures once a connection stood for long enough", () => {
    expect(close(READY, 1006, { now: STABLE_MS })[0]).to.deep.equal({ at: "waiting", failures: 1 });
    expect(close(READY, 1006, { now: STABLE_MS - 1 })[0]).to.deep.equal({ at: "waiting", failures: 4 });
  });

  it("connects when the wait is over, and only then", () => {
    const waiting: Lifecycle = { at: "waiting", failures: 1 };

    expect(advanceLifecycle(waiting, { kind: "elapsed" })).to.deep.equal([{ at: "connecting", failures: 1 }, [{ kind: "connect" }]]);
    expect(advanceLifecycle(READY, { kind: "elapsed" })).to.deep.equal([READY, []]);
  });

  it("does nothing once it is over", () => {
    const [ended] = close(READY, 4401);

    for (const input of [
      { kind: "elapsed" },
      { kind: "exchanged", now: 0 },
      { kind: "draining", hintMs: 1, now: 0 },
      { kind: "close" },
    ] as const) {
      expect(advanceLifecycle(ended, input)).to.deep.equal([ended, []]);
    }
    expect(close(ended, 1006)).to.deep.equal([ended, []]);
  });

  it("asks for a login when the store holds no token", () => {
    const [state] = advanceLifecycle({ at: "connecting", failures: 0 }, { kind: "tokenMissing", service: "chat" });

    expect(state.at === "ended" && state.ending.reaction).to.equal("login-again");
  });
});
