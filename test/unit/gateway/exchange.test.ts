import { expect } from "chai";
import { beginExchange, type Exchange, type ExchangeEffect, type ExchangeInput, exchange, type Grant } from "../../../gateway/exchange.ts";
import type { ServiceName } from "../../../proto/method.ts";

const TOKEN = Buffer.alloc(1024, 1);
const NEXT = Buffer.alloc(1024, 2);
const ACCESS = Buffer.alloc(32, 3);

function frame(bytes: Uint8Array, at = 1000, isBinary = true): ExchangeInput {
  return { kind: "frame", bytes, isBinary, at };
}

function grant(service: ServiceName): Grant {
  return { service, accountId: "a", sessionId: "s", generation: 2, grantId: "g" };
}

function accepted(service: ServiceName, at = 1100): ExchangeInput {
  return { kind: "accepted", grant: grant(service), nextRefreshToken: NEXT, accessToken: ACCESS, at };
}

function run(
  services: readonly ServiceName[],
  ...inputs: readonly ExchangeInput[]
): { state: Exchange; effects: readonly ExchangeEffect[] } {
  let state = beginExchange(services);
  let effects: readonly ExchangeEffect[] = [];
  for (const input of inputs) {
    [state, effects] = exchange(state, input);
  }
  return { state, effects };
}

describe("the exchange", () => {
  it("judges a token when it arrives, with 5 s to do it", () => {
    const { state, effects } = run(["chat"], frame(TOKEN, 1000));

    expect(state.step).to.equal("judging");
    expect(effects).to.deep.equal([{ kind: "judge", service: "chat", token: TOKEN, deadline: 6000 }]);
  });

  it("sends the new refresh token, then the access token, and is complete", () => {
    const { state, effects } = run(["chat"], frame(TOKEN), accepted("chat"));

    expect(state.step).to.equal("over");
    expect(effects).to.deep.equal([
      { kind: "send", bytes: NEXT },
      { kind: "send", bytes: ACCESS },
      { kind: "stepped" },
      { kind: "completed", grants: [grant("chat")] },
    ]);
  });

  it("waits for the next service's token", () => {
    const { state, effects } = run(["account", "chat"], frame(TOKEN), accepted("account"));

    expect(state).to.deep.equal({ step: "awaiting", services: ["account", "chat"], grants: [grant("account")] });
    expect(effects.at(-1)).to.deep.equal({ kind: "stepped" });
  });

  it("queues a token that comes early, and judges it after the one before", () => {
    const early = run(["account", "chat"], frame(TOKEN, 1000), frame(NEXT, 1001));
    const { effects } = run(["account", "chat"], frame(TOKEN, 1000), frame(NEXT, 1001), accepted("account", 1100));

    expect(early.effects).to.deep.equal([]);
    expect(effects.at(-1)).to.deep.equal({ kind: "judge", service: "chat", token: NEXT, deadline: 6001 });
  });

  it("drops a queued token whose time is over", () => {
    const { effects } = run(["account", "chat"], frame(TOKEN, 1000), frame(NEXT, 1001), accepted("account", 6001));

    expect(effects.at(-1)).to.deep.equal({ kind: "close", code: 4503 });
  });

  for (const [title, inputs, code] of [
    ["a frame over 1024 bytes", [frame(Buffer.alloc(1025))], 1009],
    ["a text frame over 1024 bytes", [frame(Buffer.alloc(1025), 0, false)], 1009],
    ["a text frame", [frame(Buffer.alloc(3), 0, false)], 4400],
    ["a text frame during a judgement", [frame(TOKEN), frame(TOKEN, 0, false)], 4400],
    ["a frame beyond the tokens due", [frame(TOKEN), frame(TOKEN), frame(TOKEN)], 4400],
    ["a refusal", [frame(TOKEN), { kind: "refused" }], 4401],
    ["a failure", [frame(TOKEN), { kind: "failed" }], 4503],
    ["no token in time", [{ kind: "timedOut" }], 4408],
    ["no second token in time", [frame(TOKEN), accepted("account"), { kind: "timedOut" }], 4408],
    ["a judgement that outlasts the time", [frame(TOKEN), { kind: "timedOut" }], 4503],
  ] as const satisfies readonly (readonly [string, readonly ExchangeInput[], number])[]) {
    it(`closes with ${code} after ${title}, and is over`, () => {
      const { state, effects } = run(["account", "chat"], ...inputs);

      expect(state.step).to.equal("over");
      expect(effects).to.deep.equal([{ kind: "close", code }]);
    });
  }

  it("does nothing once it is over, nor for an answer that nobody waits for", () => {
    const over = run(["chat"], { kind: "timedOut" }, accepted("chat"));
    const awaiting = run(["chat"], accepted("chat"));

    expect(over.effects).to.deep.equal([]);
    expect([awaiting.state.step, awaiting.effects]).to.deep.equal(["awaiting", []]);
  });
});
