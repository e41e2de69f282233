import { expect } from "chai";
import { CLOSE_CODES } from "../../../client/close-codes.ts";
import { advanceLifecycle, type Lifecycle, STABLE_MS, startLifecycle } from "../../../client/lifecycle.ts";

const READY: Lifecycle = { at: "ready", failures: 3, since: 0, hintMs: undefined };

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

  it("reconnects after the hint of the draining event", () => {
    const [draining] = advanceLifecycle(READY, { kind: "draining", hintMs: 1200 });

    expect(close(draining, 4001)[1]).to.deep.equal([{ kind: "wait", ms: 1200 }]);
  });

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

    for (const input of [{ kind: "elapsed" }, { kind: "exchanged", now: 0 }, { kind: "draining", hintMs: 1 }, { kind: "close" }] as const) {
      expect(advanceLifecycle(ended, input)).to.deep.equal([ended, []]);
    }
    expect(close(ended, 1006)).to.deep.equal([ended, []]);
  });

  it("asks for a login when the store holds no token", () => {
    const [state] = advanceLifecycle({ at: "connecting", failures: 0 }, { kind: "tokenMissing", service: "chat" });

    expect(state.at === "ended" && state.ending.reaction).to.equal("login-again");
  });
});
